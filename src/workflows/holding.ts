// The Holders' instances as the others see them: start one, end one, ask one. And what a Holder does to the world.
import { parseValue } from "../lib/json-scan.ts";
import { APIError } from "openai";
import * as z from "zod";
import { openEventStream, readFirstResponse, consumeEvents } from "../openai/event-stream.ts";
import { leave, readHeld, type Held } from "./held.ts";
import {
  BEGIN,
  Begun,
  HAND_OVER,
  HOLD,
  STOP,
  type HolderHands,
  type Holding,
  type Line,
} from "./holder.ts";
import { withTimeout } from "../lib/retry.ts";
import { getRecorder } from "../objects/recorder/client.ts";
import { toApiFailure } from "../openai/api-failure.ts";
import { createResponseStream } from "../openai/client.ts";
import { CreatedResponse, toCreatedFields } from "../openai/response.ts";

/** Milliseconds that OpenAI has for its first word. */
const FIRST_WORD = 20_000;
/** Milliseconds that a caller waits for it: an instance may have to wait for its turn. */
const PATIENCE = 25_000;
/** Milliseconds after which a connection is closed: before its step ends, and before the Recorder gives up after a day. */
const LONGEST = 23.5 * 60 * 60 * 1000;
/** Bytes of the first response object that are kept: it repeats the request, and a step's result holds 1 MiB. */
const LARGEST_ECHO = 1_000_000;
/** Milliseconds in which a Holder that has ended must have told what it left. */
const LAST_WORD = 10_000;

const ENDS = ["workflow_completed", "workflow_errored", "workflow_terminated"] as const;

/** What a Holder does to the world. */
export function holderHands(env: Env): HolderHands {
  return {
    begin: (request) => begin(env, request),
    handOver: async (start) => {
      await getRecorder(env, start.id).start(start);
    },
    lost: () => leave(null, null),
    reportEnd: async (start) => {
      await getRecorder(env, start.id).connectionEnded(start);
    },
  };
}

async function begin(
  env: Env,
  request: Record<string, unknown>,
): Promise<{ begun: Begun; line: Line | null }> {
  const connection = new AbortController();
  const timer = setTimeout(() => connection.abort(), FIRST_WORD);
  try {
    const ends = AbortSignal.any([connection.signal, AbortSignal.timeout(LONGEST)]);
    const line = openEventStream(await createResponseStream(env, request, ends));
    const first = CreatedResponse.parse(await readFirstResponse(line));
    const { id } = first;
    const begun: Begun = {
      kind: "held",
      id,
      created: toCreatedFields(first),
      response: echoOf(first),
    };
    return {
      begun,
      line: {
        read: async () => leave(line, await consumeEvents(line)),
        close: () => connection.abort(),
      },
    };
  } catch (error) {
    const late = connection.signal.aborted;
    connection.abort();
    return { begun: failure(error, late), line: null };
  } finally {
    clearTimeout(timer);
  }
}

// As bytes: the engine counts two for each character of a text that has one beyond Latin-1.
function echoOf(response: CreatedResponse): Uint8Array {
  const encoder = new TextEncoder();
  const whole = encoder.encode(JSON.stringify(response));
  if (whole.byteLength <= LARGEST_ECHO) return whole;
  return encoder.encode(JSON.stringify({ ...response, instructions: null, tools: [] }));
}

function failure(error: unknown, late: boolean): Begun {
  const { status, message, requestId, retryAfter, error: own } = toApiFailure(error);
  if (status !== null) {
    return { kind: "refused", status, error: own, request_id: requestId, retry_after: retryAfter };
  }
  const why = error instanceof z.ZodError ? "It sent no response object." : message;
  return { kind: "failed", late, message: why };
}

/**
 * Starts a Holder, and waits until its run is recorded.
 * @param env The Worker's environment.
 * @param holding What it begins with.
 * @returns How it began. One that had not begun in time is ended.
 */
export async function startHolder(env: Env, holding: Holding): Promise<Begun> {
  const instance = await env.HOLDER.create({ id: crypto.randomUUID(), params: holding });
  const begun = await withTimeout(handedOver(instance), PATIENCE, null);
  if (begun !== null) return begun;
  // It may end at this very moment.
  await instance.terminate().catch(() => undefined);
  return { kind: "failed", late: true, message: "No Holder had its turn." };
}

async function handedOver(instance: WorkflowInstance): Promise<Begun> {
  using events = await instance.subscribe({ filter: ["step_completed", ...ENDS] });
  let begun: Begun = { kind: "failed", late: false, message: "The Holder failed." };
  for (;;) {
    const { done, value } = await events.next();
    if (done === true || value.type !== "step_completed") return begun;
    if (value.stepName.startsWith(HAND_OVER)) return begun;
    if (!value.stepName.startsWith(BEGIN)) continue;
    begun = Begun.parse(value.output);
    if (begun.kind !== "held") return begun;
  }
}

/**
 * OpenAI's refusal of a held run, as the client throws it.
 * @param begun How the run began.
 */
export function errorOf(begun: Extract<Begun, { kind: "refused" }>): APIError {
  const headers = new Headers(
    begun.request_id === null ? {} : { "x-request-id": begun.request_id },
  );
  const error = z.record(z.string(), z.unknown()).catch({}).parse(begun.error);
  return APIError.generate(begun.status, { error }, undefined, headers);
}

/**
 * What a Holder left of its connection. One that still holds it is made to let go: the response has ended, whatever the connection says.
 * @param env The Worker's environment.
 * @param holder The instance's id.
 * @returns Null when it left nothing.
 */
export async function askHolder(env: Env, holder: string | null): Promise<Held | null> {
  const left = await leftBy(env, holder);
  if (left !== null) return left;
  await stopHolder(env, holder);
  return leftBy(env, holder);
}

function leftBy(env: Env, holder: string | null): Promise<Held | null> {
  return ofStep(env, holder, HOLD, async (output) => (isStream(output) ? readHeld(output) : null));
}

/**
 * The response object with which a held run began.
 * @param env The Worker's environment.
 * @param holder The instance's id.
 */
export async function beginningOf(
  env: Env,
  holder: string | null,
): Promise<Record<string, unknown> | null> {
  return ofStep(env, holder, BEGIN, async (output) => {
    const begun = Begun.parse(output);
    return begun.kind === "held" ? objectOf(begun.response) : null;
  });
}

// A stream is read while the subscription lasts.
async function ofStep<T>(
  env: Env,
  holder: string | null,
  step: string,
  use: (output: unknown) => Promise<T | null>,
): Promise<T | null> {
  const instance = await find(env, holder);
  if (instance === null) return null;
  using events = await instance.subscribe({ filter: ["step_completed", ...ENDS] });
  const late = scheduler.wait(LAST_WORD).then(() => null);
  for (;;) {
    const next = await Promise.race([events.next(), late]);
    if (next === null || next.done === true || next.value.type !== "step_completed") return null;
    if (next.value.stepName.startsWith(step)) return await use(next.value.output);
  }
}

/**
 * Ends a held connection, as far as there is one, and waits until its Holder has told the Recorder.
 * @param env The Worker's environment.
 * @param holder The instance's id.
 */
export async function stopHolder(env: Env, holder: string | null): Promise<void> {
  const instance = await find(env, holder);
  if (instance === null) return;
  await instance.sendEvent({ type: STOP, payload: {} });
  using events = await instance.subscribe({ filter: [...ENDS] });
  await withTimeout(events.next(), LAST_WORD, null);
}

/**
 * Removes a Holder with all that it knows; a connection that it holds is closed.
 * @param env The Worker's environment.
 * @param holder The instance's id.
 */
export async function forgetHolder(env: Env, holder: string | null): Promise<void> {
  await (await find(env, holder))?.delete();
}

/**
 * A response object that a Holder keeps.
 * @param json Its JSON.
 */
export function objectOf(json: Uint8Array): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(parseValue(json));
}

function isStream(output: unknown): output is ReadableStream<Uint8Array> {
  return output instanceof ReadableStream;
}

async function find(env: Env, holder: string | null): Promise<WorkflowInstance | null> {
  if (holder === null) return null;
  try {
    return await env.HOLDER.get(holder);
  } catch (error) {
    if (String(error).includes("instance.not_found")) return null;
    throw error;
  }
}
