import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { ApiError, notFound } from "../errors.ts";
import { Fault } from "../faults/rules.ts";
import { limitBody } from "../middleware.ts";
import { type CodeInterpreterCall, isCodeInterpreterCall } from "../responses/items.ts";
import { toResponse } from "../responses/representation.ts";
import type { Run } from "../responses/run.ts";
import { RETRIEVED_VIEW } from "../responses/visibility.ts";
import { IMMUTABLE, Settings } from "../settings.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseJsonBody } from "./body.ts";

const SettingsChanges = Settings.omit(IMMUTABLE).partial();

const SendWebhookParams = z.strictObject({
  type: z.string().min(1),
  response_id: z.string().min(1),
  copies: z.int().min(1).optional(),
  secret: z.string().min(1).optional(),
  timestamp: z.int().optional(),
});

/** `/_emulator`: routes for tests, which OpenAI does not have. */
export function controlRoutes(state: State): Hono<AppEnv> {
  const { settings, requestLog, webhooks, faults, scripts, containers, runs } = state;
  return new Hono<AppEnv>()
    .use(limitBody(state))
    .get("/settings", (c) => c.json(settings))
    .patch("/settings", async (c) => {
      const body = await parseJsonBody(c);
      assertMutable(body);
      const changes = validate(SettingsChanges, body);
      return c.json(Object.assign(settings, changes));
    })
    .get("/requests", (c) => c.json(requestLog.entries))
    .delete("/requests", (c) => {
      requestLog.clear();
      return c.body(null, 204);
    })
    .get("/deliveries", (c) => c.json(webhooks.attempts))
    .get("/responses", (c) => c.json([...runs.values()].map(toActualRun)))
    .get("/responses/:id", (c) => {
      const run = runs.get(c.req.param("id"));
      if (!run) throw notFound("Response", c.req.param("id"));
      return c.json({ ...toActualRun(run), response: toResponse(run, RETRIEVED_VIEW) });
    })
    .post("/webhooks", async (c) => {
      const body = validate(SendWebhookParams, await parseJsonBody(c));
      const { response_id: responseId, ...request } = body;
      const ids = webhooks.send({ ...request, responseId });
      if (!ids) throw new ApiError(400, "No receiver: set webhookUrl or register an endpoint.");
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
    })
    .get("/scripts", (c) => c.json(scripts.list()))
    .post("/scripts", async (c) => {
      scripts.add(await parseJsonBody(c));
      return c.json(scripts.list(), 201);
    })
    .delete("/scripts", (c) => {
      scripts.clear();
      return c.body(null, 204);
    });
}

function assertMutable(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const name = Object.keys(IMMUTABLE).find((key) => key in body);
  if (name === undefined) return;
  throw new ApiError(400, `'${name}' can't change while the emulator runs.`, { param: name });
}

/** What a run actually did, without the rules that hide outputs. */
function toActualRun(run: Run) {
  const toActualCall = ({ id, code, outputs, container_id }: CodeInterpreterCall) => {
    const error = run.callErrors.get(id) ?? null;
    const done = run.doneItems.get(id) ?? null;
    return { id, container_id, code, outputs, raised: error !== null, error, done };
  };
  const calls = run.output.filter(isCodeInterpreterCall);
  const shownIds = new Set(calls.map(({ id }) => id));
  return {
    id: run.id,
    status: run.status,
    background: run.background,
    created_at: run.createdAt,
    completed_at: run.completedAt,
    ended_at: run.endedAt === null ? null : new Date(run.endedAt).toISOString(),
    metadata: run.params.metadata ?? {},
    // Whether a script answered the request.
    scripted: run.script !== null,
    calls: calls.map(toActualCall),
    // A cancelled response has no calls, but its stream had those that were executed before.
    unshown: run.executedCalls.filter(({ id }) => !shownIds.has(id)).map(toActualCall),
  };
}
