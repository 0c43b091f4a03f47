// Observes a response once, by one channel. A failure of OpenAI's is an observation as well, never an exception.
import { decodeChunks } from "../lib/byte-stream.ts";
import { parseJson } from "../lib/json-parse.ts";
import { MAX_BODY_BYTES, readBody, type BodyRead } from "../lib/json-stream.ts";
import { toSentence } from "../lib/sentence.ts";
import { sha256OfChunks } from "../lib/sha256.ts";
import { MAX_ERROR_MESSAGE_LENGTH, MAX_VALUE_BYTES } from "../record/limits.ts";
import { redactJson } from "../record/redact.ts";
import type {
  Channel,
  Observation,
  ObservationResult,
  ObservedCall,
  StoredRecord,
} from "../record/schema.ts";
import { toApiFailure } from "./api-failure.ts";
import { collectStreamCalls, searchConversation } from "./channels.ts";
import { replayEventStream, retrieveResponse } from "./client.ts";
import { openEventStream } from "./event-stream.ts";
import type { Observed } from "./observed.ts";
import {
  filterCallItems,
  outputItems,
  parseCalls,
  parseResponse,
  parseUpstreamJson,
} from "./response.ts";

/** Seconds that an observation may take, its body included. The replay of a response that was created without `stream` may hang. */
const OBSERVE_TIMEOUT_SECONDS = 80;

/** A 429 with one of these codes is about money, not about the rate: an early retry would not help. */
const BILLING_ERRORS = [
  /^credit_balance_exhausted$/,
  /^insufficient_quota$/,
  /_spend_limit_exceeded$/,
  /_usage_limit_exceeded$/,
];

/** Where an observation comes from. */
export type ObservationSource = {
  channel: Channel;
  httpStatus: number | null;
  requestId: string | null;
};

/** What an observation gets from its caller. */
export type ObserveOptions = {
  /** Is awaited when the response's body turns out to be large, before it is parsed. */
  onLargeBody: () => Promise<void>;
  /** Ends the observation. */
  signal: AbortSignal;
};

type Observer = (env: Env, record: StoredRecord, options: ObserveOptions) => Promise<Observed>;

const OBSERVERS: Partial<Record<Channel, Observer>> = {
  refetch: observeByRefetch,
  stream: observeByStream,
  conversation: observeByConversation,
};

/**
 * Observes a response once.
 * @param channel `refetch`, `stream` or `conversation`.
 * @throws Error for another channel.
 */
export async function observe(
  env: Env,
  record: StoredRecord,
  channel: Channel,
  { onLargeBody, signal }: ObserveOptions,
): Promise<Observed> {
  const observer = OBSERVERS[channel];
  if (observer === undefined) throw new Error(`channel ${channel} can't be observed on request`);
  const timeout = AbortSignal.timeout(OBSERVE_TIMEOUT_SECONDS * 1000);
  try {
    return await observer(env, record, { onLargeBody, signal: AbortSignal.any([signal, timeout]) });
  } catch (error) {
    return withoutBody(toFailedResult(error, channel));
  }
}

async function observeByRefetch(
  env: Env,
  record: StoredRecord,
  { onLargeBody, signal }: ObserveOptions,
): Promise<Observed> {
  const answer = await retrieveResponse(env, record.id, record.include, signal);
  const stream: ReadableStream<Uint8Array> | null = answer.body;
  const body = stream === null ? null : await readBody(stream, onLargeBody);
  const observed = await observeBody(
    {
      channel: "refetch",
      httpStatus: answer.status,
      requestId: answer.headers.get("x-request-id"),
    },
    body,
  );
  return { ...observed, outputs: replacedOutputs(record, observed.chunks) };
}

/**
 * What the body of a response object shows.
 * @param body Null when the answer had none.
 */
export async function observeBody(
  source: ObservationSource,
  body: BodyRead | null,
): Promise<Observed> {
  const value = body === null ? undefined : parseUpstreamJson(body.truncated);
  const parsed = parseResponse(value);
  if (body === null || parsed === null) return withoutBody(toBrokenBody(source));
  const { fields, calls } = parsed;
  const chunks = body.chunks === null ? null : redactJson(body.chunks, value, body.truncated);
  const result = toResult(source, {
    status: fields.status,
    fields,
    calls,
    body: chunks === null ? null : await sha256OfChunks(chunks),
    error: body.chunks === null ? tooLarge(body.bytes) : null,
  });
  return { result, chunks, outputs: null };
}

/** The calls in a body that the record may refuse: only one that has outputs already does. Then they are stored separately. */
export function replacedOutputs(
  record: StoredRecord,
  chunks: Uint8Array[] | null,
): Observed["outputs"] {
  if (chunks === null || !record.calls.some((call) => call.state === "populated")) return null;
  return () => filterCallItems(outputItems(parseJson(decodeChunks(chunks))));
}

async function observeByStream(
  env: Env,
  record: StoredRecord,
  { onLargeBody, signal }: ObserveOptions,
): Promise<Observed> {
  const answer = await replayEventStream(env, record.id, record.include, signal);
  const stream = openEventStream(answer, onLargeBody);
  const { items, status } = await collectStreamCalls(stream);
  return observeItems({ channel: "stream", ...stream }, items, status);
}

async function observeByConversation(
  env: Env,
  record: StoredRecord,
  { signal }: ObserveOptions,
): Promise<Observed> {
  const { requestId, items } = await searchConversation(
    env,
    record.conversation ?? "",
    record.include,
    new Set(record.calls.map((call) => call.id)),
    signal,
  );
  return observeItems({ channel: "conversation", httpStatus: 200, requestId }, items, null);
}

/**
 * What output items show that came without their response object.
 * @param status The response's status, when the channel showed it.
 */
export function observeItems(
  source: ObservationSource,
  items: unknown[],
  status: string | null,
): Observed {
  const calls = parseCalls(items);
  const result = toResult(source, { status, calls });
  const outputs = filterCallItems(items);
  const bytes = new TextEncoder().encode(JSON.stringify(outputs)).byteLength;
  if (bytes <= MAX_VALUE_BYTES) return { result, chunks: null, outputs: () => outputs };
  // The observation says that the outputs were there, but outputs that can't be stored are not recovered.
  return withoutBody({ ...result, calls: null, error: tooLarge(bytes) });
}

/** What calls show, as an observation lists them. */
export function toSeenCalls(calls: ObservedCall[]): Observation["calls"] {
  return calls.map((call) => ({ id: call.id, outputs: call.state }));
}

function withoutBody(result: ObservationResult): Observed {
  return { result, chunks: null, outputs: null };
}

/** The error of a record whose outputs were observed, and are too large to be stored. */
export function tooLarge(bytes: number): { code: string; message: string } {
  return {
    code: "too_large",
    message: `The response has ${bytes} bytes; at most ${MAX_BODY_BYTES} can be stored. Its calls and their code are recorded, their outputs are not. Get them from OpenAI while it keeps the response.`,
  };
}

function toBrokenBody(source: ObservationSource): ObservationResult {
  const message = "OpenAI's answer was not a response object. The Recorder asks again.";
  return toResult(source, { error: { code: "broken_body", message } });
}

function toFailedResult(error: unknown, channel: Channel): ObservationResult {
  const { status, code, message, requestId, retryAfter } = toApiFailure(error);
  const known = status === null ? "unreachable" : (code ?? `http_${status}`);
  const seconds = Number(retryAfter ?? Number.NaN);
  return toResult(
    { channel, httpStatus: status, requestId },
    {
      error: { code: known, message: status === null ? toUnreachable(message) : shorten(message) },
      refused: status !== null && isPermanentRefusal(status, known),
      retry_after_seconds: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
    },
  );
}

// The words are the platform's or the SDK's, such as "Connection error."
function toUnreachable(message: string): string {
  return `OpenAI could not be asked: ${toSentence(shorten(message))} The Recorder tries again.`;
}

function shorten(message: string): string {
  return message.slice(0, MAX_ERROR_MESSAGE_LENGTH);
}

// The time is that of the observation's end: an observation can take a minute and a half.
function toResult(
  { channel, httpStatus, requestId }: ObservationSource,
  { status = null, ...found }: Partial<ObservationResult> & { status?: string | null },
): ObservationResult {
  return {
    observation: {
      at: new Date().toISOString(),
      channel,
      http_status: httpStatus,
      status,
      request_id: requestId,
      calls: toSeenCalls(found.calls ?? []),
    },
    fields: null,
    calls: null,
    body: null,
    error: null,
    refused: false,
    retry_after_seconds: null,
    from_connection: false,
    broke_at: null,
    ...found,
  };
}

// The key, what it may do, and money: nothing else stays as it is. A 404 can be one of the first half minute after the end.
function isPermanentRefusal(status: number, code: string): boolean {
  if (status === 429) return BILLING_ERRORS.some((pattern) => pattern.test(code));
  return status === 401 || status === 403;
}
