// Starts a background response and hands it over to its Recorder.
import type { Context } from "hono";
import { parseTrigger, toControlBody, type CreateParams } from "../../api/create-params.ts";
import type { JsonBody } from "../../api/json-body.ts";
import type { TriggerResult } from "../../api/schemas.ts";
import { readPolicy } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { retry } from "../../lib/retry.ts";
import { toSentence } from "../../lib/sentence.ts";
import { logFailure, withLog } from "../../log.ts";
import { createConnectionName, openConnection } from "../../objects/connection/client.ts";
import { getRecorder } from "../../objects/recorder/client.ts";
import { toApiError, toApiFailure } from "../../openai/api-failure.ts";
import { createResponse } from "../../openai/client.ts";
import { readCreatedResponse, UnusableResponse } from "../../openai/created-response.ts";
import { toCreatedFields, type CreatedResponse } from "../../openai/response.ts";
import { toProblem } from "../../openai/to-problem.ts";
import type { StartParams } from "../../record/connection/state.ts";
import { redactRequest } from "../../record/redact.ts";
import type { RecorderParams } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";

/** Milliseconds between attempts to start a Recorder. */
const HANDOVER_RETRY_MS = [200, 1_000];

/** What becomes of a response that may have started: in the background, and in the foreground. */
const WEBHOOK_WILL_RECORD =
  "If it started, OpenAI's webhook will record it. Check /results before retrying: each retry is billed.";
const ID_UNKNOWN =
  "If it started, its id is unknown and no webhook will report it. Each retry is billed.";

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
  const { id, status } = await work;
  return { id, status, result_url: new URL(`/results/${id}`, c.req.url).href };
}

type Started = { id: string; status: string };

async function startRun(c: Context<App>, params: CreateParams): Promise<Started> {
  const { request, options } = params;
  const control = options.control ? createConnectionName() : null;
  const start = {
    at: new Date().toISOString(),
    started_by: "trigger" as const,
    policy: readPolicy(c.env, new URL(c.req.url).origin),
    options,
    request: redactRequest(request),
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
  if (!opening.isLate) throw mayHaveStarted(opening.message, consequence, null, opening.id);
  const message = `OpenAI did not start the run within 20 s (${opening.message}); the connection was closed. Check /results before retrying: the run may exist.`;
  throw new Problem("may_have_started", message);
}

async function startBackground(
  env: Env,
  { body }: CreateParams,
  start: StartParams,
): Promise<Started> {
  const created = await createBackground(env, body);
  const { id } = created;
  await handOver(env, { ...start, id, connection: null, created: toCreatedFields(created) });
  return created;
}

async function createBackground(env: Env, body: Uint8Array[]): Promise<CreatedResponse> {
  try {
    const bytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    return readCreatedResponse(await createResponse(env, { stream: streamChunks(body), bytes }));
  } catch (error) {
    throw toCreateProblem(error, WEBHOOK_WILL_RECORD);
  }
}

function toCreateProblem(error: unknown, consequence: string): Problem {
  if (error instanceof Problem) return error;
  const { status, message, requestId } = toApiFailure(error);
  if (status !== null && status < 500 && status !== 408) return toProblem(error);
  const id = error instanceof UnusableResponse ? error.id : null;
  return mayHaveStarted(message, consequence, requestId, id);
}

// `id`: of a response that started and can't be recorded.
function mayHaveStarted(
  why: string,
  consequence: string,
  requestId: string | null,
  id: string | null,
): Problem {
  const details = { requestId: requestId ?? undefined, id: id ?? undefined };
  const message =
    id === null
      ? `It is not known whether the response started: ${toSentence(why)} ${consequence}`
      : why;
  return new Problem("may_have_started", message, details);
}

async function handOver(env: Env, params: RecorderParams): Promise<void> {
  const { id } = params;
  try {
    await retry(
      HANDOVER_RETRY_MS,
      async () => getRecorder(env, id).start(params),
      (error) => logFailure("handover", error, { id }),
    );
  } catch {
    throw handOverFailed(id, "OpenAI's webhook will start it");
  }
}

function handOverFailed(id: string, remedy: string): Problem {
  return new Problem(
    "handover_failed",
    `The response ${id} runs at OpenAI, but its Recorder could not be started. ${remedy}; don't trigger again.`,
    { id, title: "It runs, but is not followed yet" },
  );
}
