import { Hono } from "hono";
import * as z from "zod";
import type { Env } from "../app.ts";
import type { Endpoint } from "../webhooks/endpoints.ts";
import { ApiError } from "../errors.ts";
import { check } from "../responses/create-params.ts";
import type { State } from "../state.ts";
import { json, page } from "./body.ts";

const EVENT_TYPES = [
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
  "batch.completed",
  "batch.failed",
  "batch.expired",
  "batch.cancelled",
] as const;

const EventType = z.enum(EVENT_TYPES);
const Wish = z.strictObject({
  name: z.string().min(1),
  url: z.url(),
  event_types: z.array(EventType).min(1),
});
const Rotation = z.strictObject({
  keep_old_secret_active_for_24_hours: z.boolean().default(false),
});
const Test = z.strictObject({ event_type: EventType });

/** The response that test events are about. There is none. */
const SAMPLE = "resp_abc123";

/** `/v1/webhook_endpoints`. A signing secret is shown when it is made, and never again. */
export function endpoints({ endpoints: all, webhooks }: State): Hono<Env> {
  return new Hono<Env>()
    .post("/", async (c) => {
      const made = all.create(check(Wish, await json(c)));
      return c.json(shown(made));
    })
    .get("/", (c) => c.json(page(c, all.list().map(shape))))
    .get("/:id", (c) => c.json(shape(all.find(c.req.param("id")))))
    .post("/:id", async (c) => {
      const { name, url, event_types } = check(Wish.partial(), await json(c));
      const changes = {
        ...(name && { name }),
        ...(url && { url }),
        ...(event_types && { event_types }),
      };
      return c.json(shape(all.update(c.req.param("id"), changes)));
    })
    .delete("/:id", (c) => {
      const id = c.req.param("id");
      all.delete(id);
      return c.json({ id, object: "webhook_endpoint.deleted", deleted: true });
    })
    .post("/:id/rotate_secret", async (c) => {
      const { keep_old_secret_active_for_24_hours: overlap } = check(Rotation, await json(c));
      return c.json(shown(all.rotate(c.req.param("id"), { overlap })));
    })
    .post("/:id/test", async (c) => {
      const endpoint = all.find(c.req.param("id"));
      const { event_type: type } = check(Test, await json(c));
      const { status, error } = await webhooks.test(endpoint, { type, responseId: SAMPLE });
      if (status === null) throw new ApiError(400, `The test event got no answer: ${error}.`);
      return c.json({
        object: "webhook_endpoint.test",
        event_type: type,
        status_code: status,
        success: true,
        webhook_endpoint_id: endpoint.id,
      });
    });
}

function shape({ id, createdAt, updatedAt, name, url, event_types, secret }: Endpoint) {
  return {
    id,
    object: "webhook_endpoint",
    created_at: createdAt,
    updated_at: updatedAt,
    name,
    url,
    event_types,
    signing_secret_hint: `whsec_...${secret.slice(-4)}`,
  };
}

function shown(endpoint: Endpoint) {
  return { ...shape(endpoint), signing_secret: endpoint.secret };
}
