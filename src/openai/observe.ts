// Observes a response once, by one channel. A failure of OpenAI's is an observation as well, never an exception.
import { decodeChunks } from "../lib/byte-stream.ts";
import { parseJson } from "../lib/json-parse.ts";
import { MAX_BODY_BYTES, readBody, type BodyRead } from "../lib/json-stream.ts";
import { toSentence } from "../lib/sentence.ts";
import { sha256OfChunks } from "../lib/sha256.ts";
import { findEarlyResults } from "../record/calls/merge-calls.ts";
import { losesItems } from "../record/observed/completeness.ts";
import { includeOf, refusedIncludes } from "../record/request/include.ts";
import { MAX_ERROR_MESSAGE_LENGTH, MAX_VALUE_BYTES } from "../record/limits.ts";
import { isTerminal } from "../record/reducer.ts";
import { redactJson } from "../record/request/redact.ts";
import {
  NO_RESULT,
  type Channel,
  type Observation,
  type ObservationResult,
  type ObservedCall,
  type StoredRecord,
} from "../record/schema.ts";
import { toApiFailure } from "./api-failure.ts";
import { collectStreamCalls, searchConversation } from "./channels.ts";
import { identifyItem } from "./call-items.ts";
import { replayEventStream, retrieveResponse } from "./client.ts";
import { openEventStream } from "./event-stream.ts";
import { fetchInput } from "./input-items.ts";
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
    return withoutBody(toFailedResult(error, channel, includeOf(record)));
  }
}

async function observeByRefetch(
  env: Env,
  record: StoredRecord,
  { onLargeBody, signal }: ObserveOptions,
): Promise<Observed> {
  const answer = await retrieveResponse(env, record.id, includeOf(record), signal);
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
  const { result } = observed;
  const input = mustFetchInput(record, result) ? await fetchInput(env, record.id, signal) : null;
  const outputs = refusedItems(record, observed) ?? earlyItems(record, observed);
  return { ...observed, result: { ...result, input }, outputs };
}

// The request of a run that another program started is not known. Its input is fetched once, when its end is seen.
function mustFetchInput(record: StoredRecord, { fields }: ObservationResult): boolean {
  if (record.request !== null || record.input !== null || fields === null) return false;
  return fields.options === null && isTerminal(fields.status);
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
  return { result, chunks, outputs: null, keys: itemKeys(value) };
}

function itemKeys(response: unknown): Set<string> {
  return new Set(outputItems(response).flatMap((item) => identifyItem(item)?.key ?? []));
}

/** The calls in a body that the record refuses, because it lacks something of the present one; null when it takes it. */
export function refusedItems(record: StoredRecord, observed: Observed): Observed["outputs"] {
  return losesItems(record, observed.result) ? callItems(observed) : null;
}

// The calls in the body of a run in flight, when it has a result that no observation had before. Such a body is not stored.
function earlyItems(record: StoredRecord, observed: Observed): Observed["outputs"] {
  const { result } = observed;
  if (result.fields === null || isTerminal(result.fields.status)) return null;
  return findEarlyResults(record, result).length > 0 ? callItems(observed) : null;
}

function callItems({ chunks }: Observed): Observed["outputs"] {
  if (chunks === null) return null;
  return () => filterCallItems(outputItems(parseJson(decodeChunks(chunks))));
}

async function observeByStream(
  env: Env,
  record: StoredRecord,
  { onLargeBody, signal }: ObserveOptions,
): Promise<Observed> {
  const answer = await replayEventStream(env, record.id, includeOf(record), signal);
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
    includeOf(record),
    new Set(record.calls.map((call) => call.id)),
    signal,
  );
  return observeItems({ channel: "conversation", httpStatus: 200, requestId }, items, null);
}

/**
 * What output items show that came without their response object. Where all of them are too large to be stored, only calls are.
 * @param status The response's status, when the channel showed it.
 */
export function observeItems(
  source: ObservationSource,
  items: unknown[],
  status: string | null,
): Observed {
  const calls = parseCalls(items);
  const result = toResult(source, { status, calls });
  const storable = [items, filterCallItems(items)].find(
    (list) => jsonBytes(list) <= MAX_VALUE_BYTES,
  );
  if (storable !== undefined) return { ...withoutBody(result), outputs: () => storable };
  // The observation says that the results were there, but results that can't be stored are not recovered.
  return withoutBody({ ...result, calls: null, error: tooLarge(jsonBytes(items)) });
}

function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}

/** What calls show, as an observation lists them. */
export function toSeenCalls(calls: ObservedCall[]): Observation["calls"] {
  return calls.map((call) => ({ id: call.id, outputs: call.state }));
}

function withoutBody(result: ObservationResult): Observed {
  return { result, chunks: null, outputs: null, keys: new Set() };
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

function toFailedResult(error: unknown, channel: Channel, asked: string[]): ObservationResult {
  const { status, code, message, param, requestId, retryAfter } = toApiFailure(error);
  const known = status === null ? "unreachable" : (code ?? `http_${status}`);
  const seconds = Number(retryAfter ?? Number.NaN);
  return toResult(
    { channel, httpStatus: status, requestId },
    {
      error: { code: known, message: status === null ? toUnreachable(message) : shorten(message) },
      refused: status !== null && isPermanentRefusal(status, known),
      refused_include: status === 400 ? refusedIncludes(asked, { message, param }) : [],
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
    ...NO_RESULT,
    ...found,
  };
}

// The key, what it may do, and money: nothing else stays as it is. A 404 can be one of the first half minute after the end.
function isPermanentRefusal(status: number, code: string): boolean {
  if (status === 429) return BILLING_ERRORS.some((pattern) => pattern.test(code));
  return status === 401 || status === 403;
}
