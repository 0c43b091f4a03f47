import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { ApiError, defaultError, unknownUrl } from "./errors.ts";
import { injectFault } from "./faults/inject-fault.ts";
import { requireLocalHost } from "./local-hosts.ts";
import { addLatency, limitBody, logRequest, requireApiKey } from "./middleware.ts";
import { containerRoutes } from "./routes/containers.ts";
import { controlRoutes } from "./routes/control.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { echoRequest } from "./routes/echo.ts";
import { fileRoutes } from "./routes/files.ts";
import { modelRoutes } from "./routes/models.ts";
import { responseRoutes } from "./routes/responses.ts";
import { webhookEndpointRoutes, webhookEventTypeRoutes } from "./routes/webhook-endpoints.ts";
import type { State } from "./state.ts";

/** Every route on one page. */
export function createApp(state: State): Hono<AppEnv> {
  const api = new Hono<AppEnv>()
    .use(
      limitBody(state),
      logRequest(state),
      requireApiKey(state),
      addLatency(state),
      injectFault(state),
    )
    .route("/responses", responseRoutes(state))
    .route("/conversations", conversationRoutes(state))
    .route("/containers", containerRoutes(state))
    .route("/files", fileRoutes(state))
    .route("/models", modelRoutes())
    .route("/webhook_endpoints", webhookEndpointRoutes(state))
    .route("/webhook_event_types", webhookEventTypeRoutes())
    .all("/*", echoRequest(state));

  return new Hono<AppEnv>()
    .use(requireLocalHost(state))
    .route("/v1", api)
    .route("/_emulator", controlRoutes(state))
    .notFound((c) => c.json(unknownUrl(c.req.method, c.req.path).toJSON(), 404))
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
