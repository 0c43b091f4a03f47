// Starts a background response and hands it to its Recorder.
import type { Context } from "hono";
import { APIError } from "openai";
import { z } from "zod";
import { rulesOf } from "../config.ts";
import { Problem } from "../errors.ts";
import { startRecorder } from "../instance.ts";
import { create, createStreamed, messageOf } from "../openai.ts";
import type { Start } from "../record.ts";
import { redact } from "../redact.ts";
import { refusedByOpenAI } from "../refusal.ts";
import { RESPONSE_ID } from "./id.ts";
import { prepare, type Prepared } from "./prepare.ts";
import type { App } from "./session.ts";

const Created = z.looseObject({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  model: z.string().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  created_at: z.number().nullish(),
});
type CreatedResponse = z.infer<typeof Created>;

const StreamEvent = z.looseObject({ type: z.string(), response: z.unknown().optional() });
/** Events after which a response may still be waiting for its turn. */
const WAITING = new Set(["response.created", "response.queued"]);

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
  const prepared = prepare(c.env, asked);
  // Both finish even when the caller hangs up: a response that runs must be recorded.
  const work = start(c, prepared);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  const created = await work;
  const url = new URL(`/results/${created.id}`, c.req.url);
  return { id: created.id, status: created.status, result_url: url.href };
}

async function start(c: Context<App>, prepared: Prepared): Promise<CreatedResponse> {
  const at = new Date().toISOString();
  const { request, intent } = prepared;
  const rules = rulesOf(c.env);
  const created = intent.replay
    ? await createReplayable(c, request)
    : await createOnce(c.env, request);
  const createdAt = created.created_at ? created.created_at * 1000 : at;
  const params: Start = {
    id: created.id,
    at,
    started_by: "trigger",
    rules,
    intent,
    request: intent.control ? null : redact(request),
    control: intent.control ? request : null,
    created: {
      status: created.status,
      model: created.model ?? null,
      background: created.background ?? null,
      store: created.store ?? null,
      created_at: new Date(createdAt).toISOString(),
    },
    webhook: null,
    action: null,
  };
  await handOver(c.env, params);
  return created;
}

async function createOnce(env: Env, request: Record<string, unknown>): Promise<CreatedResponse> {
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
): Promise<CreatedResponse> {
  const connection = new AbortController();
  try {
    const { events } = await createStreamed(c.env, request, connection.signal);
    const iterator = events[Symbol.asyncIterator]();
    const created = parseCreated((await firstResponse(iterator)) ?? null);
    c.executionCtx.waitUntil(readOn(iterator, connection));
    return created;
  } catch (error) {
    connection.abort();
    throw ofCreate(error);
  }
}

async function firstResponse(events: AsyncIterator<unknown>): Promise<unknown> {
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const event = StreamEvent.safeParse(next.value);
    if (event.success && event.data.response !== undefined) return event.data.response;
  }
  return undefined;
}

async function readOn(events: AsyncIterator<unknown>, connection: AbortController): Promise<void> {
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      const event = StreamEvent.safeParse(next.value);
      if (event.success && !WAITING.has(event.data.type)) break;
    }
  } catch (error) {
    console.warn(JSON.stringify({ event: "stream_cut", error: String(error) }));
  }
  connection.abort();
}

function parseCreated(answer: unknown): CreatedResponse {
  const created = Created.safeParse(answer);
  if (!created.success) throw new TypeError("OpenAI's answer was not a response object.");
  return created.data;
}

function ofCreate(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (
    error instanceof APIError &&
    error.status !== undefined &&
    error.status < 500 &&
    error.status !== 408
  )
    return refusedByOpenAI(error);
  return mayHaveStarted(messageOf(error), error instanceof APIError ? error.requestID : undefined);
}

function mayHaveStarted(why: string, requestId?: string | null): Problem {
  const message = `It is not known whether the response was started: ${why} If it was, OpenAI's webhook will still have it recorded. Look at /results before trying again: each try is billed.`;
  return new Problem(502, "may_have_started", message, { requestId: requestId ?? undefined });
}

async function handOver(env: Env, params: Start): Promise<void> {
  for (const gap of [200, 1_000, null]) {
    try {
      return await startRecorder(env, params);
    } catch (error) {
      console.error(
        JSON.stringify({ event: "hand_over_failed", id: params.id, error: String(error) }),
      );
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
