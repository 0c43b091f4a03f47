import { type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { ApiError, defaultError } from "./errors.ts";
import { requireApiKey, injectFault, logRequest, addLatency } from "./middleware.ts";
import type { LoggedRequest } from "./request-log.ts";
import { responseRoutes } from "./routes/responses.ts";
import { containerRoutes } from "./routes/containers.ts";
import { controlRoutes } from "./routes/control.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { webhookEndpointRoutes } from "./routes/webhook-endpoints.ts";
import { fileRoutes } from "./routes/files.ts";
import { modelRoutes } from "./routes/models.ts";
import type { State } from "./state.ts";

export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** The request's line in the journal. */
    seen: LoggedRequest;
    /** A fault: the stream's connection ends after so many events. */
    cutAfter: number | undefined;
    /** A fault: the stream's connection stays open, silent, when so many events or all have come. */
    stalls: boolean | undefined;
    /** There is no answer, on purpose. */
    silent: boolean | undefined;
  };
}

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
