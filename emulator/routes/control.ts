import { Hono } from "hono";
import * as z from "zod";
import type { Env } from "../app.ts";
import { ApiError, missing } from "../errors.ts";
import { Fault } from "../faults/rules.ts";
import { type Call, isCall } from "../responses/items.ts";
import { check } from "../responses/create-params.ts";
import { describe, type Run } from "../responses/run.ts";
import { FIXED, Settings } from "../settings.ts";
import type { State } from "../state.ts";
import { json } from "./body.ts";

const Changes = Settings.omit(FIXED).partial();

const Event = z.strictObject({
  type: z.string().min(1),
  response_id: z.string().min(1),
  copies: z.int().min(1).optional(),
  secret: z.string().min(1).optional(),
  timestamp: z.int().optional(),
});

/** `/_emulator`: what only the emulator has, for those who test against it. */
export function control(state: State): Hono<Env> {
  const { settings, journal, webhooks, faults, containers } = state;
  return new Hono<Env>()
    .get("/settings", (c) => c.json(settings))
    .patch("/settings", async (c) => {
      const body = await json(c);
      refuseFixed(body);
      const changes = check(Changes, body);
      return c.json(Object.assign(settings, changes));
    })
    .get("/requests", (c) => c.json(journal.entries))
    .delete("/requests", (c) => {
      journal.clear();
      return c.body(null, 204);
    })
    .get("/deliveries", (c) => c.json(webhooks.attempts))
    .get("/responses", (c) => c.json([...state.runs.values()].map(truth)))
    .get("/responses/:id", (c) => {
      const run = state.runs.get(c.req.param("id"));
      if (!run) throw missing("Response", c.req.param("id"));
      return c.json({ ...truth(run), response: describe(run, (item) => item) });
    })
    .post("/webhooks", async (c) => {
      const { response_id: responseId, ...event } = check(Event, await json(c));
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
      faults.add(check(Fault, await json(c)));
      return c.json(faults.list(), 201);
    })
    .delete("/faults", (c) => {
      faults.clear();
      return c.body(null, 204);
    });
}

function refuseFixed(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const fixed = Object.keys(FIXED).find((name) => name in body);
  if (fixed === undefined) return;
  throw new ApiError(400, `'${fixed}' can't change while the emulator runs.`, { param: fixed });
}

/** What really came of a run, whatever the API shows. */
function truth(run: Run) {
  const told = ({ id, code, outputs, container_id }: Call) => {
    return { id, container_id, code, outputs, raised: run.raised.has(id) };
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
    metadata: run.request.metadata ?? {},
    calls: calls.map(told),
    /** Carried out before the run was cancelled; the response has no calls then, its stream had. */
    unshown: run.done.filter(({ id }) => !shown.has(id)).map(told),
  };
}
