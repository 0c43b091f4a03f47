import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { ApiError } from "../errors.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import type { Endpoint } from "../webhooks/endpoints.ts";
import { EVENT_TYPES } from "../webhooks/event-types.ts";
import { parseJsonBody } from "./body.ts";
import { paginate } from "./page.ts";

const EventType = z.enum(EVENT_TYPES);
const CreateEndpointParams = z.strictObject({
  name: z.string().min(1),
  url: z.url(),
  event_types: z.array(EventType).min(1),
});
const RotateSecretParams = z.strictObject({
  keep_old_secret_active_for_24_hours: z.boolean().default(false),
});
const TestEndpointParams = z.strictObject({ event_type: EventType });

/** The response id in test events. No such response exists. */
const TEST_EVENT_RESPONSE_ID = "resp_abc123";

/** `/v1/webhook_endpoints`. A signing secret is returned only when it is created. */
export function webhookEndpointRoutes({ endpoints, webhooks }: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const params = validate(CreateEndpointParams, await parseJsonBody(c));
      return c.json(toEndpointWithSecret(endpoints.create(params)));
    })
    .get("/", (c) => c.json(paginate(c, endpoints.list().map(toEndpoint))))
    .get("/:id", (c) => c.json(toEndpoint(endpoints.find(c.req.param("id")))))
    .post("/:id", async (c) => {
      const body = validate(CreateEndpointParams.partial(), await parseJsonBody(c));
      const { name, url, event_types } = body;
      const changes = {
        ...(name && { name }),
        ...(url && { url }),
        ...(event_types && { event_types }),
      };
      return c.json(toEndpoint(endpoints.update(c.req.param("id"), changes)));
    })
    .delete("/:id", (c) => {
      const id = c.req.param("id");
      endpoints.delete(id);
      return c.json({ id, object: "webhook_endpoint.deleted", deleted: true });
    })
    .post("/:id/rotate_secret", async (c) => {
      const body = validate(RotateSecretParams, await parseJsonBody(c));
      const keepPrevious = body.keep_old_secret_active_for_24_hours;
      const endpoint = endpoints.rotateSecret(c.req.param("id"), { keepPrevious });
      return c.json(toEndpointWithSecret(endpoint));
    })
    .post("/:id/test", async (c) => {
      const endpoint = endpoints.find(c.req.param("id"));
      const { event_type: type } = validate(TestEndpointParams, await parseJsonBody(c));
      const request = { type, responseId: TEST_EVENT_RESPONSE_ID };
      const { status, error } = await webhooks.sendTest(endpoint, request);
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

/** `/v1/webhook_event_types`. */
export function webhookEventTypeRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/", (c) => c.json({ object: "list", data: EVENT_TYPES }));
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
