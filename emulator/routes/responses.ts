import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Env } from "../app.ts";
import { ApiError } from "../errors.ts";
import { prepare } from "../responses/create.ts";
import { check, checkInclude, OUTPUTS } from "../responses/create-params.ts";
import { describe, type Run } from "../responses/run.ts";
import { cancel, find, refuseForeground, start } from "../responses/lifecycle.ts";
import type { State } from "../state.ts";
import { follow } from "../responses/event-stream.ts";
import { include, json, page } from "./body.ts";

const Retrieve = z.object({
  stream: z.enum(["true", "false"]).default("false"),
  starting_after: z.coerce.number().int().min(0).optional(),
});

/** `/v1/responses`. */
export function responses(state: State): Hono<Env> {
  const { settings } = state;
  const retrieved = (run: Run) => run.script.outputs ?? settings.backgroundOutputs;
  return new Hono<Env>()
    .post("/", async (c) => {
      const run = prepare(state, await json(c));
      start(state, run);
      if (!run.background) watch(state, c, run);
      if (run.request.stream)
        return follow(c, run, { see: run.sight(settings.streamOutputs, run.included) });
      if (!run.background) await run.ended.promise;
      return c.json(describe(run, run.sight(retrieved(run), run.included)));
    })
    .get("/:id", (c) => {
      const run = find(state, c.req.param("id"));
      const included = checkInclude(include(c), { persisted: run.request.store !== false });
      const { stream, starting_after } = check(Retrieve, { ...c.req.query() });
      if (stream === "false") {
        return c.json(describe(run, run.sight(retrieved(run), included.has(OUTPUTS))));
      }
      refuseReplay(run);
      const see = run.sight(settings.streamOutputs, run.included || included.has(OUTPUTS));
      return follow(c, run, { see, from: starting_after === undefined ? 0 : starting_after + 1 });
    })
    .delete("/:id", (c) => {
      const run = find(state, c.req.param("id"));
      state.runs.delete(run.id);
      cancel(state, run);
      return c.json({ id: run.id, object: "response", deleted: true });
    })
    .post("/:id/cancel", (c) => {
      const run = find(state, c.req.param("id"));
      refuseForeground(run);
      cancel(state, run);
      return c.json(describe(run, run.sight(retrieved(run), false)));
    })
    .get("/:id/input_items", (c) => c.json(page(c, find(state, c.req.param("id")).input)));
}

/** A foreground run may end with the connection of the one who asked for it. */
function watch(state: State, c: Context<Env>, run: Run): void {
  const { outgoing } = c.env;
  outgoing.once("close", () => {
    if (outgoing.writableFinished || state.settings.onDisconnect !== "cancel") return;
    cancel(state, run);
  });
}

function refuseReplay({ request, background }: Run): void {
  if (background && request.stream) return;
  const message =
    "This response cannot be streamed because it was not created with background=true.";
  throw new ApiError(400, message, { param: "stream" });
}
