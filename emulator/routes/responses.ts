import { type Context, Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { toVisibleItems } from "../conversations.ts";
import { getInputEntries } from "../responses/context.ts";
import { createRun } from "../responses/create.ts";
import { streamEvents } from "../responses/event-stream.ts";
import { parseIncludeQuery } from "../responses/include.ts";
import { assertBackground, cancelRun, findRun, startRun } from "../responses/lifecycle.ts";
import { assertReplayable, retrieveResponse, toVisibleResponse } from "../responses/retrieve.ts";
import type { Run } from "../responses/run.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseJsonBody } from "./body.ts";
import { paginate } from "./page.ts";

const RetrieveQuery = z.object({
  stream: z.enum(["true", "false"]).default("false"),
  starting_after: z.coerce.number().int().min(0).optional(),
  include_obfuscation: z.enum(["true", "false"]).default("true"),
});

const NO_INCLUDE: ReadonlySet<string> = new Set();

/** `/v1/responses`. */
export function responseRoutes(state: State): Hono<AppEnv> {
  const { settings } = state;
  const parseInclude = (c: Context<AppEnv>, { params }: Run) =>
    parseIncludeQuery(c, { persisted: params.store !== false, refused: settings.refusedInclude });

  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const run = createRun(state, await parseJsonBody(c), c.req.header());
      startRun(state, run);
      if (!run.background) endOnDisconnect(state, c, run);
      if (run.params.stream) {
        const view = run.createView("stream", run.included);
        const obfuscates =
          settings.obfuscation && run.params.stream_options?.["include_obfuscation"] !== false;
        return streamEvents(c, run, { view, isCreator: true, obfuscates });
      }
      if (!run.background && (await waitForEnd(run)) === "cut") {
        c.set("neverResponds", true);
        c.env.outgoing.socket?.destroy();
        return c.body(null);
      }
      return c.json(toVisibleResponse(state, run, run.included));
    })
    .get("/:id", (c) => {
      const run = findRun(state, c.req.param("id"));
      const included = parseInclude(c, run);
      const query = validate(RetrieveQuery, { ...c.req.query() });
      if (query.stream === "false") return c.json(retrieveResponse(state, run, included));
      assertReplayable(state, run);
      const firstNumber = query.starting_after === undefined ? 0 : query.starting_after + 1;
      const all = new Set([...run.included, ...included]);
      const view = run.createView("stream", all);
      const obfuscates = settings.obfuscation && query.include_obfuscation === "true";
      return streamEvents(c, run, { view, firstNumber, isCreator: false, obfuscates });
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
      return c.json(toVisibleResponse(state, run, NO_INCLUDE));
    })
    .get("/:id/input_items", (c) => {
      const run = findRun(state, c.req.param("id"));
      const entries = getInputEntries(state, run);
      return c.json(paginate(c, toVisibleItems(entries, "response", parseInclude(c, run))));
    });
}

/** Waits until a run has ended, or a script breaks its creator's connection. */
async function waitForEnd(run: Run): Promise<"ended" | "cut"> {
  return Promise.race([
    run.ended.promise.then(() => "ended" as const),
    run.cut.promise.then(() => "cut" as const),
  ]);
}

/** Ends a foreground run when its client disconnects, as the setting `onDisconnect` says. */
function endOnDisconnect(state: State, c: Context<AppEnv>, run: Run): void {
  const { outgoing } = c.env;
  outgoing.once("close", () => {
    const { onDisconnect } = state.settings;
    if (outgoing.writableFinished || onDisconnect === "complete") return;
    cancelRun(state, run);
    if (onDisconnect === "forget") run.isForgotten = true;
  });
}
