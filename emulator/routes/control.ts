import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import { ApiError, notFound } from "../errors.ts";
import { Fault } from "../faults/rules.ts";
import { type CodeInterpreterCall, isCall } from "../responses/items.ts";
import { validate } from "../responses/create-params.ts";
import { toResponse, type Run } from "../responses/run.ts";
import { IMMUTABLE, Settings } from "../settings.ts";
import type { State } from "../state.ts";
import { parseJsonBody } from "./body.ts";

const SettingsChanges = Settings.omit(IMMUTABLE).partial();

const EventParams = z.strictObject({
  type: z.string().min(1),
  response_id: z.string().min(1),
  copies: z.int().min(1).optional(),
  secret: z.string().min(1).optional(),
  timestamp: z.int().optional(),
});

/** `/_emulator`: what only the emulator has, for those who test against it. */
export function controlRoutes(state: State): Hono<AppEnv> {
  const { settings, requestLog: journal, webhooks, faults, containers } = state;
  return new Hono<AppEnv>()
    .get("/settings", (c) => c.json(settings))
    .patch("/settings", async (c) => {
      const body = await parseJsonBody(c);
      assertMutable(body);
      const changes = validate(SettingsChanges, body);
      return c.json(Object.assign(settings, changes));
    })
    .get("/requests", (c) => c.json(journal.entries))
    .delete("/requests", (c) => {
      journal.clear();
      return c.body(null, 204);
    })
    .get("/deliveries", (c) => c.json(webhooks.attempts))
    .get("/responses", (c) => c.json([...state.runs.values()].map(toActualRun)))
    .get("/responses/:id", (c) => {
      const run = state.runs.get(c.req.param("id"));
      if (!run) throw notFound("Response", c.req.param("id"));
      return c.json({ ...toActualRun(run), response: toResponse(run, (item) => item) });
    })
    .post("/webhooks", async (c) => {
      const { response_id: responseId, ...event } = validate(EventParams, await parseJsonBody(c));
      const ids = webhooks.send({ ...event, responseId });
      if (!ids)
        throw new ApiError(
          400,
          "There is nowhere to send it: set webhookUrl, or register an endpoint.",
        );
      return c.json(ids, 202);
    })
    .post("/containers/:id/expire", (c) => {
      const { id } = containers.expire(c.req.param("id"));
      return c.json({ id, status: "expired" });
    })
    .get("/faults", (c) => c.json(faults.list()))
    .post("/faults", async (c) => {
      faults.add(validate(Fault, await parseJsonBody(c)));
      return c.json(faults.list(), 201);
    })
    .delete("/faults", (c) => {
      faults.clear();
      return c.body(null, 204);
    });
}

function assertMutable(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const fixed = Object.keys(IMMUTABLE).find((name) => name in body);
  if (fixed === undefined) return;
  throw new ApiError(400, `'${fixed}' can't change while the emulator runs.`, { param: fixed });
}

/** What really came of a run, whatever the API shows. */
function toActualRun(run: Run) {
  const told = ({ id, code, outputs, container_id }: CodeInterpreterCall) => {
    return { id, container_id, code, outputs, raised: run.raisedCallIds.has(id) };
  };
  const calls = run.output.filter(isCall);
  const shown = new Set(calls.map(({ id }) => id));
  return {
    id: run.id,
    status: run.status,
    background: run.background,
    created_at: run.createdAt,
    completed_at: run.completedAt,
    ended_at: run.endedAt === null ? null : new Date(run.endedAt).toISOString(),
    metadata: run.params.metadata ?? {},
    calls: calls.map(told),
    /** Carried out before the run was cancelled; the response has no calls then, its stream had. */
    unshown: run.executedCalls.filter(({ id }) => !shown.has(id)).map(told),
  };
}
