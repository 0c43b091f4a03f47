import { type Context, Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import { ApiError } from "../errors.ts";
import { createRun } from "../responses/create.ts";
import { validate, parseInclude, OUTPUTS_INCLUDE } from "../responses/create-params.ts";
import { toResponse, type Run } from "../responses/run.ts";
import { cancelRun, findRun, assertBackground, startRun } from "../responses/lifecycle.ts";
import type { State } from "../state.ts";
import { streamEvents } from "../responses/event-stream.ts";
import { getIncludeValues, parseJsonBody, paginate } from "./body.ts";

const RetrieveQuery = z.object({
  stream: z.enum(["true", "false"]).default("false"),
  starting_after: z.coerce.number().int().min(0).optional(),
});

/** `/v1/responses`. */
export function responseRoutes(state: State): Hono<AppEnv> {
  const { settings } = state;
  const retrieved = (run: Run) => run.script.outputsRule ?? settings.backgroundOutputs;
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const run = createRun(state, await parseJsonBody(c));
      startRun(state, run);
      if (!run.background) cancelOnDisconnect(state, c, run);
      if (run.params.stream)
        return streamEvents(c, run, {
          view: run.createView(settings.streamOutputs, run.includesOutputs),
        });
      if (!run.background) await run.ended.promise;
      return c.json(toResponse(run, run.createView(retrieved(run), run.includesOutputs)));
    })
    .get("/:id", (c) => {
      const run = findRun(state, c.req.param("id"));
      const included = parseInclude(getIncludeValues(c), { persisted: run.params.store !== false });
      const { stream, starting_after } = validate(RetrieveQuery, { ...c.req.query() });
      if (stream === "false") {
        return c.json(
          toResponse(run, run.createView(retrieved(run), included.has(OUTPUTS_INCLUDE))),
        );
      }
      assertReplayable(run);
      const see = run.createView(
        settings.streamOutputs,
        run.includesOutputs || included.has(OUTPUTS_INCLUDE),
      );
      return streamEvents(c, run, {
        view: see,
        from: starting_after === undefined ? 0 : starting_after + 1,
      });
    })
    .delete("/:id", (c) => {
      const run = findRun(state, c.req.param("id"));
      state.runs.delete(run.id);
      cancelRun(state, run);
      return c.json({ id: run.id, object: "response", deleted: true });
    })
    .post("/:id/cancel", (c) => {
      const run = findRun(state, c.req.param("id"));
      assertBackground(run);
      cancelRun(state, run);
      return c.json(toResponse(run, run.createView(retrieved(run), false)));
    })
    .get("/:id/input_items", (c) => c.json(paginate(c, findRun(state, c.req.param("id")).input)));
}

/** A foreground run may end with the connection of the one who asked for it. */
function cancelOnDisconnect(state: State, c: Context<AppEnv>, run: Run): void {
  const { outgoing } = c.env;
  outgoing.once("close", () => {
    if (outgoing.writableFinished || state.settings.onDisconnect !== "cancel") return;
    cancelRun(state, run);
  });
}

function assertReplayable({ params: request, background }: Run): void {
  if (background && request.stream) return;
  const message =
    "This response cannot be streamed because it was not created with background=true.";
  throw new ApiError(400, message, { param: "stream" });
}
