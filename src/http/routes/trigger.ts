// Starts a background response and hands it over to its Recorder.
import type { Context } from "hono";
import { parseTrigger, toControlBody, type CreateParams } from "../../api/create-params.ts";
import type { JsonBody } from "../../api/json-body.ts";
import type { TriggerResult } from "../../api/schemas.ts";
import { readPolicy } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { withLog } from "../../log.ts";
import { createConnectionName, openConnection } from "../../objects/connection/client.ts";
import { handOver, handOverFailed } from "../../objects/hand-over.ts";
import { toApiError, toApiFailure } from "../../openai/api-failure.ts";
import { createResponse } from "../../openai/client.ts";
import { readCreatedResponse, UnusableResponse } from "../../openai/created-response.ts";
import { toCreatedFields, type CreatedResponse } from "../../openai/response.ts";
import { toProblem } from "../../openai/to-problem.ts";
import type { StartParams } from "../../record/connection/state.ts";
import { redactRequest } from "../../record/request/redact.ts";
import {
  ID_UNKNOWN,
  mayHaveStarted,
  WEBHOOK_WILL_RECORD,
  whyNotOpened,
} from "../create-failure.ts";
import type { App } from "../middleware/auth.ts";
import { startOnce } from "../once.ts";

/**
 * Starts what a caller asked for; with an `Idempotency-Key`, once.
 * @param given The request's body.
 * @throws Problem as `startOnce` does.
 */
export async function triggerOnce(c: Context<App>, given: JsonBody): Promise<TriggerResult> {
  const start = () => startTrigger(c, given);
  const once = await startOnce(c, { given, scope: "", start, toRun: (run) => run });
  return once.kind === "first" ? once.result : toResult(c, once);
}

/**
 * Starts what a caller asked for.
 * @param given Responses create parameters and the recorder's flags.
 * @returns The id, as soon as the Recorder has it.
 */
export async function startTrigger(c: Context<App>, given: JsonBody): Promise<TriggerResult> {
  const work = withLog(
    "trigger",
    {},
    async () => startRun(c, parseTrigger(c.env, given)),
    ({ id, status }) => ({ id, outcome: status }),
  );
  // Create and hand-over finish even when the caller hangs up: a response that runs must be recorded.
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return toResult(c, await work);
}

function toResult(c: Context<App>, { id, status }: Started): TriggerResult {
  return { id, status, result_url: new URL(`/results/${id}`, c.req.url).href };
}

type Started = { id: string; status: string };

async function startRun(c: Context<App>, params: CreateParams): Promise<Started> {
  const { request, options, bytes } = params;
  const control = options.control ? createConnectionName() : null;
  const start = {
    at: new Date().toISOString(),
    started_by: "trigger" as const,
    policy: readPolicy(c.env, new URL(c.req.url).origin),
    options,
    request: redactRequest(request, bytes),
    control,
    webhook: null,
  };
  const started =
    options.hold || options.stream
      ? await startConnected(c.env, params, start)
      : await startBackground(c.env, params, start);
  // The run goes on without its control, and the caller does not wait for it.
  if (control !== null) {
    const { limits } = start.policy;
    const opening = { kind: "control" as const, run: started.id, limits };
    const body = toControlBody(params, started.id);
    c.executionCtx.waitUntil(openConnection(c.env, control, body, opening));
  }
  return started;
}

async function startConnected(
  env: Env,
  { body, options }: CreateParams,
  start: StartParams,
): Promise<Started> {
  const kind = options.hold ? "held" : "followed";
  const opening = await openConnection(env, createConnectionName(), body, { kind, start });
  const consequence = options.hold ? ID_UNKNOWN : WEBHOOK_WILL_RECORD;
  if (opening.kind === "refused") throw toCreateProblem(toApiError(opening), consequence);
  if (opening.kind === "opened") {
    if (!opening.isHandedOver) throw handOverFailed(opening.id, "Its connection starts it later");
    return opening;
  }
  throw mayHaveStarted(whyNotOpened(opening), consequence, { id: opening.id });
}

async function startBackground(
  env: Env,
  params: CreateParams,
  start: StartParams,
): Promise<Started> {
  const created = await createBackground(env, params);
  const { id } = created;
  await handOver(env, { ...start, id, connection: null, created: toCreatedFields(created) });
  return created;
}

async function createBackground(env: Env, { body, bytes }: CreateParams): Promise<CreatedResponse> {
  try {
    const { answer } = await createResponse(env, { stream: streamChunks(body), bytes });
    return readCreatedResponse(answer);
  } catch (error) {
    throw toCreateProblem(error, WEBHOOK_WILL_RECORD);
  }
}

function toCreateProblem(error: unknown, consequence: string): Problem {
  if (error instanceof Problem) return error;
  const { status, message, requestId } = toApiFailure(error);
  if (status !== null && status < 500 && status !== 408) return toProblem(error);
  const id = error instanceof UnusableResponse ? error.id : null;
  return mayHaveStarted(message, consequence, { requestId, id });
}
