import { type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { ApiError, usual } from "./errors.ts";
import { auth, spoil, stamp, wait } from "./middleware.ts";
import type { Entry } from "./request-log.ts";
import { responses } from "./routes/responses.ts";
import { containers } from "./routes/containers.ts";
import { control } from "./routes/control.ts";
import { conversations } from "./routes/conversations.ts";
import { endpoints } from "./routes/webhook-endpoints.ts";
import { files } from "./routes/files.ts";
import { models } from "./routes/models.ts";
import type { State } from "./state.ts";

export interface Env {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** The request's line in the journal. */
    seen: Entry;
    /** A fault: the stream's connection ends after so many events. */
    cutAfter: number | undefined;
    /** A fault: the stream's connection stays open, silent, when so many events or all have come. */
    stalls: boolean | undefined;
    /** There is no answer, on purpose. */
    silent: boolean | undefined;
  };
}

/** Every route on one page. */
export function app(state: State): Hono<Env> {
  const api = new Hono<Env>()
    .use(stamp(state), auth(state), wait(state), spoil(state))
    .route("/responses", responses(state))
    .route("/conversations", conversations(state))
    .route("/containers", containers(state))
    .route("/files", files(state))
    .route("/models", models())
    .route("/webhook_endpoints", endpoints(state));

  return new Hono<Env>()
    .route("/v1", api)
    .route("/_emulator", control(state))
    .notFound((c) => {
      const error = new ApiError(404, `Invalid URL (${c.req.method} ${c.req.path})`);
      return c.json(error.toJSON(), 404);
    })
    .onError((cause) => {
      const error = cause instanceof ApiError ? cause : crash(cause);
      return new Response(JSON.stringify(error), {
        status: error.status,
        headers: { "content-type": "application/json" },
      });
    });
}

function crash(cause: unknown): ApiError {
  console.error(cause);
  return usual(500);
}
