import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { ApiError, defaultError } from "./errors.ts";
import { injectFault } from "./faults/inject-fault.ts";
import { addLatency, logRequest, requireApiKey } from "./middleware.ts";
import { containerRoutes } from "./routes/containers.ts";
import { controlRoutes } from "./routes/control.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { fileRoutes } from "./routes/files.ts";
import { modelRoutes } from "./routes/models.ts";
import { responseRoutes } from "./routes/responses.ts";
import { webhookEndpointRoutes } from "./routes/webhook-endpoints.ts";
import type { State } from "./state.ts";

/** Every route on one page. */
export function createApp(state: State): Hono<AppEnv> {
  const api = new Hono<AppEnv>()
    .use(logRequest(state), requireApiKey(state), addLatency(state), injectFault(state))
    .route("/responses", responseRoutes(state))
    .route("/conversations", conversationRoutes(state))
    .route("/containers", containerRoutes(state))
    .route("/files", fileRoutes(state))
    .route("/models", modelRoutes())
    .route("/webhook_endpoints", webhookEndpointRoutes(state));

  return new Hono<AppEnv>()
    .route("/v1", api)
    .route("/_emulator", controlRoutes(state))
    .notFound((c) => {
      const error = new ApiError(404, `Invalid URL (${c.req.method} ${c.req.path})`);
      return c.json(error.toJSON(), 404);
    })
    .onError((cause) => {
      const error = cause instanceof ApiError ? cause : toServerError(cause);
      return new Response(JSON.stringify(error), {
        status: error.status,
        headers: { "content-type": "application/json" },
      });
    });
}

function toServerError(cause: unknown): ApiError {
  console.error(cause);
  return defaultError(500);
}
