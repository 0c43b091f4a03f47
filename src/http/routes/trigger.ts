// Starts a background response and hands it to its Recorder.
import type { Context } from "hono";
import { APIError } from "openai";
import * as z from "zod";
import { rulesOf } from "../../config.ts";
import { connect, firstResponse, readToEnd, type Connection } from "../../openai/event-stream.ts";
import { Created, createdOf, RESPONSE_ID } from "../../openai/created-response.ts";
import { Problem } from "../../errors.ts";
import type { Holding } from "../../workflows/holder.ts";
import { errorOf, objectOf, startHolder } from "../../workflows/holding.ts";
import { startRecorder } from "../../workflows/instance.ts";
import { logFailure, logged } from "../../log.ts";
import { create, createStreamed, messageOf } from "../../openai/client.ts";
import type { Start } from "../../record/schema.ts";
import { redact } from "../../record/redact.ts";
import { refusedByOpenAI } from "../../openai/to-problem.ts";
import { prepare, type Prepared } from "../../api/create-params.ts";
import type { App } from "../middleware/auth.ts";

/** Events after which a response may still be waiting for its turn. */
const WAITING = new Set(["response.created", "response.queued"]);

/** What becomes of a response that may have started, in the background and in the foreground. */
const BY_WEBHOOK =
  "If it was, OpenAI's webhook will still have it recorded. Look at /results before trying again: each try is billed.";
const UNTOLD =
  "If it was, nobody knows its id, and no webhook tells of a run in the foreground. Each try is billed.";

/** The answer to a trigger. */
export const Started = z.object({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  result_url: z.url(),
});

export type Started = z.infer<typeof Started>;

/**
 * Starts what a caller asked for.
 * @param c The request's context.
 * @param asked Responses create parameters and the recorder's flags.
 * @returns The id, as soon as the Recorder has it.
 */
export async function trigger(c: Context<App>, asked: unknown): Promise<Started> {
  const work = logged(
    "trigger",
    {},
    async () => start(c, prepare(c.env, asked)),
    ({ id, status }) => ({ id, outcome: status }),
  );
  // Both finish even when the caller hangs up: a response that runs must be recorded.
  c.executionCtx.waitUntil(work.catch(() => undefined));
  const created = await work;
  const url = new URL(`/results/${created.id}`, c.req.url);
  return { id: created.id, status: created.status, result_url: url.href };
}

async function start(c: Context<App>, { request, intent }: Prepared): Promise<Created> {
  const base = {
    at: new Date().toISOString(),
    started_by: "trigger" as const,
    rules: rulesOf(c.env),
    intent,
    control: intent.control ? request : null,
    webhook: null,
    action: null,
  };
  if (intent.hold) return startHeld(c.env, { request, start: base });
  // Where it is kept for the control it needn't be kept twice.
  const kept = intent.control ? null : redact(request);
  const created = intent.replay
    ? await createReplayable(c, request)
    : await createOnce(c.env, request);
  const { id } = created;
  await handOver(c.env, { ...base, id, request: kept, created: createdOf(created), holder: null });
  return created;
}

async function startHeld(env: Env, holding: Holding): Promise<Created> {
  const begun = await startHolder(env, holding);
  if (begun.kind === "held") return Created.parse(objectOf(begun.response));
  if (begun.kind === "refused") throw ofCreate(errorOf(begun), UNTOLD);
  if (!begun.late) throw mayHaveStarted(begun.message, UNTOLD);
  const message = `OpenAI had not begun after 20 s (${begun.message}), so the connection was closed, which ends the run. Try again; look at /results before, since it may be there all the same.`;
  throw new Problem(503, "not_begun", message);
}

async function createOnce(env: Env, request: Record<string, unknown>): Promise<Created> {
  try {
    return parseCreated(await create(env, request));
  } catch (error) {
    throw ofCreate(error);
  }
}

// A response whose connection ends at the very first event can stay queued for ever (https://community.openai.com/t/1382584), so it is
// read on until it is in progress, after the caller has its answer.
async function createReplayable(
  c: Context<App>,
  request: Record<string, unknown>,
): Promise<Created> {
  const abort = new AbortController();
  try {
    const connection = connect(await createStreamed(c.env, request, abort.signal));
    const created = parseCreated(await firstResponse(connection));
    c.executionCtx.waitUntil(readOn(created.id, connection, abort));
    return created;
  } catch (error) {
    abort.abort();
    throw ofCreate(error);
  }
}

async function readOn(id: string, connection: Connection, abort: AbortController): Promise<void> {
  const { error } = await readToEnd(connection, (type) => !WAITING.has(type));
  if (error !== null) logFailure("stream_cut", messageOf(error), { id });
  abort.abort();
}

function parseCreated(answer: unknown): Created {
  const created = Created.safeParse(answer);
  if (!created.success) throw new TypeError("OpenAI's answer was not a response object.");
  return created.data;
}

function ofCreate(error: unknown, after = BY_WEBHOOK): Problem {
  if (error instanceof Problem) return error;
  if (
    error instanceof APIError &&
    error.status !== undefined &&
    error.status < 500 &&
    error.status !== 408
  )
    return refusedByOpenAI(error);
  const requestId = error instanceof APIError ? error.requestID : undefined;
  return mayHaveStarted(messageOf(error), after, requestId);
}

function mayHaveStarted(why: string, after: string, requestId?: string | null): Problem {
  const message = `It is not known whether the response was started: ${why} ${after}`;
  return new Problem(502, "may_have_started", message, { requestId: requestId ?? undefined });
}

async function handOver(env: Env, params: Start): Promise<void> {
  for (const gap of [200, 1_000, null]) {
    try {
      return await startRecorder(env, params);
    } catch (error) {
      logFailure("hand_over", error, { id: params.id });
      if (gap === null) break;
      await scheduler.wait(gap);
    }
  }
  throw new Problem(
    503,
    "not_handed_over",
    `The response ${params.id} runs at OpenAI, but its Recorder could not be started. OpenAI's webhook will start it; don't trigger again.`,
    { id: params.id },
  );
}
