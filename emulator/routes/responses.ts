import { type Context, Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { ApiError } from "../errors.ts";
import { createRun } from "../responses/create.ts";
import { streamEvents } from "../responses/event-stream.ts";
import { INCLUDE_OUTPUTS, parseIncludeQuery } from "../responses/include.ts";
import { assertBackground, cancelRun, findRun, startRun } from "../responses/lifecycle.ts";
import { toResponse } from "../responses/representation.ts";
import type { Run } from "../responses/run.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseJsonBody } from "./body.ts";
import { paginate } from "./page.ts";

const RetrieveQuery = z.object({
  stream: z.enum(["true", "false"]).default("false"),
  starting_after: z.coerce.number().int().min(0).optional(),
});

/** `/v1/responses`. */
export function responseRoutes(state: State): Hono<AppEnv> {
  const { settings } = state;

  /** The response as a client sees it who did or did not include outputs. */
  const toVisibleResponse = (run: Run, includesOutputs: boolean) => {
    const outputsRule = run.script.outputsRule ?? settings.backgroundOutputs;
    return toResponse(run, run.createView(outputsRule, includesOutputs));
  };

  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const run = createRun(state, await parseJsonBody(c));
      startRun(state, run);
      if (!run.background) cancelOnDisconnect(state, c, run);
      if (run.params.stream) {
        const view = run.createView(settings.streamOutputs, run.includesOutputs);
        return streamEvents(c, run, { view });
      }
      if (!run.background) await run.ended.promise;
      return c.json(toVisibleResponse(run, run.includesOutputs));
    })
    .get("/:id", (c) => {
      const run = findRun(state, c.req.param("id"));
      const included = parseIncludeQuery(c, { persisted: run.params.store !== false });
      const includesOutputs = included.has(INCLUDE_OUTPUTS);
      const { stream, starting_after } = validate(RetrieveQuery, { ...c.req.query() });
      if (stream === "false") return c.json(toVisibleResponse(run, includesOutputs));
      assertReplayable(run);
      const view = run.createView(settings.streamOutputs, run.includesOutputs || includesOutputs);
      const firstNumber = starting_after === undefined ? 0 : starting_after + 1;
      return streamEvents(c, run, { view, firstNumber });
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
      return c.json(toVisibleResponse(run, false));
    })
    .get("/:id/input_items", (c) => c.json(paginate(c, findRun(state, c.req.param("id")).input)));
}

/** Cancels a foreground run when its client disconnects, if the setting `onDisconnect` says so. */
function cancelOnDisconnect(state: State, c: Context<AppEnv>, run: Run): void {
  const { outgoing } = c.env;
  outgoing.once("close", () => {
    if (outgoing.writableFinished || state.settings.onDisconnect !== "cancel") return;
    cancelRun(state, run);
  });
}

function assertReplayable({ params, background }: Run): void {
  if (background && params.stream) return;
  const message =
    "This response cannot be streamed because it was not created with background=true.";
  throw new ApiError(400, message, { param: "stream" });
}
