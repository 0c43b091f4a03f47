// Starts a background response and hands it over to its Recorder.
import type { Context } from "hono";
import { parseTrigger, type CreateParams } from "../../api/create-params.ts";
import type { TriggerResult } from "../../api/schemas.ts";
import { readPolicy } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { retry } from "../../lib/retry.ts";
import { logFailure, withLog } from "../../log.ts";
import { errorMessage, toApiFailure } from "../../openai/api-failure.ts";
import { createResponse, createResponseStream } from "../../openai/client.ts";
import {
  consumeEvents,
  openEventStream,
  readFirstResponse,
  type EventStream,
} from "../../openai/event-stream.ts";
import { getRecorder } from "../../objects/recorder/client.ts";
import { CreatedResponse, toCreatedFields } from "../../openai/response.ts";
import { toProblem } from "../../openai/to-problem.ts";
import { redactRequest } from "../../record/redact.ts";
import { toRecorderParams, type RecorderParams } from "../../record/schema.ts";
import { startControl } from "../../workflows/control-report.ts";
import type { Holding } from "../../workflows/holder.ts";
import { errorOf, objectOf, startHolder } from "../../workflows/holding.ts";
import type { App } from "../middleware/auth.ts";

/** Events after which a response may still be queued. */
const QUEUED_EVENTS = new Set(["response.created", "response.queued"]);

/** Milliseconds between attempts to start a Recorder. */
const HANDOVER_RETRY_MS = [200, 1_000];

/** What becomes of a response that may have started: in the background, and in the foreground. */
const WEBHOOK_WILL_RECORD =
  "If it started, OpenAI's webhook will record it. Check /results before retrying: each retry is billed.";
const ID_UNKNOWN =
  "If it started, its id is unknown and no webhook will report it. Each retry is billed.";

/**
 * Starts what a caller asked for.
 * @param body Responses create parameters and the recorder's flags.
 * @returns The id, as soon as the Recorder has it.
 */
export async function startTrigger(c: Context<App>, body: unknown): Promise<TriggerResult> {
  const work = withLog(
    "trigger",
    {},
    async () => startRun(c, parseTrigger(c.env, body)),
    ({ id, status }) => ({ id, outcome: status }),
  );
  // Create and hand-over finish even when the caller hangs up: a response that runs must be recorded.
  c.executionCtx.waitUntil(work.catch(() => undefined));
  const { id, status } = await work;
  return { id, status, result_url: new URL(`/results/${id}`, c.req.url).href };
}

async function startRun(
  c: Context<App>,
  { request, options }: CreateParams,
): Promise<CreatedResponse> {
  const params = {
    at: new Date().toISOString(),
    started_by: "trigger" as const,
    policy: readPolicy(c.env),
    options,
    control: options.control,
    webhook: null,
  };
  if (options.hold) return startHeld(c.env, { request, start: params });
  const created = options.replay
    ? await createReplayable(c, request)
    : await createBackground(c.env, request);
  await handOver(
    c.env,
    toRecorderParams({
      ...params,
      id: created.id,
      request: redactRequest(request),
      created: toCreatedFields(created),
    }),
  );
  // The run goes on without its control, and the caller does not wait for it.
  if (options.control) c.executionCtx.waitUntil(startControl(c.env, created.id, request));
  return created;
}

async function startHeld(env: Env, holding: Holding): Promise<CreatedResponse> {
  const begun = await startHolder(env, holding);
  if (begun.kind === "held") return CreatedResponse.parse(objectOf(begun.response));
  if (begun.kind === "refused") throw toCreateProblem(errorOf(begun), ID_UNKNOWN);
  if (!begun.late) throw mayHaveStarted(begun.message, ID_UNKNOWN);
  const message = `OpenAI did not start the run within 20 s (${begun.message}); the connection was closed. Check /results before retrying: the run may exist.`;
  throw new Problem("may_have_started", message);
}

async function createBackground(
  env: Env,
  request: Record<string, unknown>,
): Promise<CreatedResponse> {
  try {
    return parseCreated(await createResponse(env, request));
  } catch (error) {
    throw toCreateProblem(error, WEBHOOK_WILL_RECORD);
  }
}

// A response whose connection ends at the very first event can stay queued without end (https://community.openai.com/t/1382584),
// so the events are read until it is in progress, after the caller has its answer.
async function createReplayable(
  c: Context<App>,
  request: Record<string, unknown>,
): Promise<CreatedResponse> {
  const abort = new AbortController();
  try {
    const stream = openEventStream(await createResponseStream(c.env, request, abort.signal));
    const created = parseCreated(await readFirstResponse(stream));
    c.executionCtx.waitUntil(readUntilInProgress(created.id, stream, abort));
    return created;
  } catch (error) {
    abort.abort();
    throw toCreateProblem(error, WEBHOOK_WILL_RECORD);
  }
}

async function readUntilInProgress(
  id: string,
  stream: EventStream,
  abort: AbortController,
): Promise<void> {
  const { failure } = await consumeEvents(stream, (type) => !QUEUED_EVENTS.has(type));
  if (failure !== null) logFailure("stream_broken", errorMessage(failure), { id });
  abort.abort();
}

function parseCreated(answer: unknown): CreatedResponse {
  const created = CreatedResponse.safeParse(answer);
  if (!created.success) throw new TypeError("OpenAI's answer was not a response object.");
  return created.data;
}

function toCreateProblem(error: unknown, consequence: string): Problem {
  if (error instanceof Problem) return error;
  const { status, message, requestId } = toApiFailure(error);
  if (status !== null && status < 500 && status !== 408) return toProblem(error);
  return mayHaveStarted(message, consequence, requestId);
}

function mayHaveStarted(
  why: string,
  consequence: string,
  requestId: string | null = null,
): Problem {
  const message = `It is not known whether the response started: ${why} ${consequence}`;
  return new Problem("may_have_started", message, { requestId: requestId ?? undefined });
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
    throw new Problem(
      "handover_failed",
      `The response ${id} runs at OpenAI, but its Recorder could not be started. OpenAI's webhook will start it; don't trigger again.`,
      { id, title: "It runs, but is not followed yet" },
    );
  }
}
