import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import type { Endpoint } from "../webhooks/endpoints.ts";
import { ApiError } from "../errors.ts";
import { validate } from "../responses/create-params.ts";
import type { State } from "../state.ts";
import { parseJsonBody, paginate } from "./body.ts";

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
const EndpointParams = z.strictObject({
  name: z.string().min(1),
  url: z.url(),
  event_types: z.array(EventType).min(1),
});
const RotateSecretParams = z.strictObject({
  keep_old_secret_active_for_24_hours: z.boolean().default(false),
});
const TestEventParams = z.strictObject({ event_type: EventType });

/** The response that test events are about. There is none. */
const TEST_EVENT_RESPONSE_ID = "resp_abc123";

/** `/v1/webhook_endpoints`. A signing secret is shown when it is made, and never again. */
export function webhookEndpointRoutes({ endpoints: all, webhooks }: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const made = all.create(validate(EndpointParams, await parseJsonBody(c)));
      return c.json(toEndpointWithSecret(made));
    })
    .get("/", (c) => c.json(paginate(c, all.list().map(toEndpoint))))
    .get("/:id", (c) => c.json(toEndpoint(all.find(c.req.param("id")))))
    .post("/:id", async (c) => {
      const { name, url, event_types } = validate(EndpointParams.partial(), await parseJsonBody(c));
      const changes = {
        ...(name && { name }),
        ...(url && { url }),
        ...(event_types && { event_types }),
      };
      return c.json(toEndpoint(all.update(c.req.param("id"), changes)));
    })
    .delete("/:id", (c) => {
      const id = c.req.param("id");
      all.delete(id);
      return c.json({ id, object: "webhook_endpoint.deleted", deleted: true });
    })
    .post("/:id/rotate_secret", async (c) => {
      const { keep_old_secret_active_for_24_hours: overlap } = validate(
        RotateSecretParams,
        await parseJsonBody(c),
      );
      return c.json(toEndpointWithSecret(all.rotate(c.req.param("id"), { overlap })));
    })
    .post("/:id/test", async (c) => {
      const endpoint = all.find(c.req.param("id"));
      const { event_type: type } = validate(TestEventParams, await parseJsonBody(c));
      const { status, error } = await webhooks.sendTest(endpoint, {
        type,
        responseId: TEST_EVENT_RESPONSE_ID,
      });
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

function toEndpoint({ id, createdAt, updatedAt, name, url, event_types, secret }: Endpoint) {
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

function toEndpointWithSecret(endpoint: Endpoint) {
  return { ...toEndpoint(endpoint), signing_secret: endpoint.secret };
}
