// One look by each channel: asks OpenAI, gives an observation. A failure of OpenAI's is an observation too, never an exception.
import { APIError } from "openai";
import * as z from "zod";
import { LARGEST_BODY, readBody, textOf, type ReadBody } from "../lib/json-stream.ts";
import { callItems, parseAnswer, parseJson, readCalls, readResponse } from "./response.ts";
import { messageOf, replayEvents, retrieve } from "./client.ts";
import { searchConversation, watch } from "./channels.ts";
import { connect } from "./event-stream.ts";
import { describe } from "../lib/sha256.ts";
import { askHolder } from "../workflows/holding.ts";
import { LOST, type Channel, type Known, type Look } from "../record/schema.ts";
import type { Seen } from "../workflows/hands.ts";
import { LARGEST_VALUE } from "../storage/kv.ts";
import { hasCredentials, withoutSecrets } from "../record/redact.ts";

/** Seconds that a look may take, the body included. A response created without `stream` may leave its replay hanging. */
const TIME_LIMIT = 90;

/** 429 is a rate, to be tried again soon, or money: then it is not. */
const MONEY = [
  /^credit_balance_exhausted$/,
  /^insufficient_quota$/,
  /_spend_limit_exceeded$/,
  /_usage_limit_exceeded$/,
];

const Output = z.looseObject({ output: z.array(z.unknown()).catch([]) });

const Tools = z.object({ tools: z.array(z.unknown()) });

type Looker = (env: Env, record: Known, at: string, signal: AbortSignal) => Promise<Seen>;

const LOOKERS: Partial<Record<Channel, Looker>> = {
  refetch: byRefetch,
  stream: byStream,
  conversation: byConversation,
};

/**
 * Looks at a response once.
 * @param env The Worker's environment.
 * @param record What is known of the response.
 * @param channel How to look.
 */
export async function lookAt(env: Env, record: Known, channel: Channel): Promise<Seen> {
  const at = new Date().toISOString();
  if (channel === "held") return byHolder(env, record);
  const looker = LOOKERS[channel];
  if (looker === undefined) throw new Error(`there is no look by ${channel}`);
  try {
    const seen = await looker(env, record, at, AbortSignal.timeout(TIME_LIMIT * 1000));
    return seenNow(seen);
  } catch (error) {
    return seenNow(unread(failure(error, at, channel)));
  }
}

// A look can take a minute and a half: what it saw, it saw when it ended.
function seenNow(seen: Seen): Seen {
  const observation = { ...seen.look.observation, at: new Date().toISOString() };
  return { ...seen, look: { ...seen.look, observation } };
}

async function byRefetch(env: Env, record: Known, at: string, signal: AbortSignal): Promise<Seen> {
  const answer = await retrieve(env, record.id, record.include, signal);
  const { status } = answer;
  const requestId = answer.headers.get("x-request-id");
  const stream: ReadableStream<Uint8Array> | null = answer.body;
  const body = stream === null ? null : await readBody(stream);
  const seen = await ofResponse({ at, channel: "refetch", status, requestId }, body);
  return { ...seen, outputs: spareOutputs(record, seen.chunks) };
}

type How = { at: string; channel: Channel; status: number | null; requestId: string | null };

// What a response object shows.
async function ofResponse(how: How, body: ReadBody | null): Promise<Seen> {
  const value = body === null ? undefined : parseAnswer(body.short);
  const read = readResponse(value);
  if (body === null || read === null) return unread(broken(how));
  const chunks = withoutCredentials(body.chunks, value);
  const look: Look = {
    observation: {
      at: how.at,
      channel: how.channel,
      http_status: how.status,
      status: read.facts.status,
      request_id: how.requestId,
      calls: read.calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts: read.facts,
    calls: read.calls,
    body: chunks === null ? null : await describe(chunks),
    error: body.chunks === null ? tooLarge(body.bytes) : null,
    refused: false,
    retry_after: null,
    broke_at: null,
  };
  return { look, chunks, outputs: null };
}

// What the Holder of this response's connection left. It asks nobody: a failure is the engine's, and the look is tried again.
async function byHolder(env: Env, record: Known): Promise<Seen> {
  const held = await askHolder(env, record.holder);
  const how: How = {
    at: held?.at ?? new Date().toISOString(),
    channel: "held",
    status: held?.http_status ?? null,
    requestId: held?.request_id ?? null,
  };
  if (held === null || held.response === null) {
    const seen = otherChannel({
      ...how,
      items: held?.calls ?? [],
      response: held?.status ?? null,
    });
    const error = seen.look.error ?? held?.error ?? null;
    return { ...seen, look: { ...seen.look, error, broke_at: held?.broke_at ?? LOST } };
  }
  const seen = await ofResponse(how, held.response);
  return held.calls.length === 0 ? seen : completed(seen, held.calls);
}

// Outputs that came with their call, and that the response lacks.
function completed(seen: Seen, items: unknown[]): Seen {
  const spare = new Map(readCalls(items).map((call) => [call.id, call]));
  const calls = (seen.look.calls ?? []).map((call) => spare.get(call.id) ?? call);
  const observation = {
    ...seen.look.observation,
    calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
  };
  return { ...seen, look: { ...seen.look, calls, observation }, outputs: () => items };
}

// Only where outputs are known already can a new body fail to replace the old one; then what is new in it is kept beside it.
function spareOutputs(record: Known, chunks: Uint8Array[] | null): Seen["outputs"] {
  if (chunks === null || !record.calls.some((call) => call.state === "populated")) return null;
  return () => callItems(Output.parse(parseJson(textOf(chunks))).output);
}

// Whether OpenAI sends a tool's credentials back is not known. They must not be stored, so a body that has them is stored without.
function withoutCredentials(chunks: Uint8Array[] | null, short: unknown): Uint8Array[] | null {
  const tools = Tools.safeParse(short);
  if (chunks === null || !tools.success || !hasCredentials(tools.data)) return chunks;
  const whole = z.record(z.string(), z.unknown()).parse(parseJson(textOf(chunks)));
  const { tools: clean } = withoutSecrets({ tools: whole["tools"] });
  return [new TextEncoder().encode(JSON.stringify({ ...whole, tools: clean }))];
}

async function byStream(env: Env, record: Known, at: string, signal: AbortSignal): Promise<Seen> {
  const connection = connect(await replayEvents(env, record.id, record.include, signal));
  const { items, status } = await watch(connection);
  const { requestId, status: http } = connection;
  return otherChannel({ at, channel: "stream", status: http, requestId, items, response: status });
}

async function byConversation(
  env: Env,
  record: Known,
  at: string,
  signal: AbortSignal,
): Promise<Seen> {
  const wanted = new Set(record.calls.map((call) => call.id));
  const found = await searchConversation(
    env,
    record.conversation ?? "",
    record.include,
    wanted,
    signal,
  );
  return otherChannel({ at, channel: "conversation", status: 200, ...found, response: null });
}

function otherChannel(found: How & { items: unknown[]; response: string | null }): Seen {
  const calls = readCalls(found.items);
  const look: Look = {
    observation: {
      at: found.at,
      channel: found.channel,
      http_status: found.status,
      status: found.response,
      request_id: found.requestId,
      calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts: null,
    calls,
    body: null,
    error: null,
    refused: false,
    retry_after: null,
    broke_at: null,
  };
  const outputs = callItems(found.items);
  const bytes = new TextEncoder().encode(JSON.stringify(outputs)).byteLength;
  if (bytes <= LARGEST_VALUE) return { look, chunks: null, outputs: () => outputs };
  // The observation says that they were there; what can't be kept isn't recovered.
  return { look: { ...look, calls: null, error: tooLarge(bytes) }, chunks: null, outputs: null };
}

function unread(look: Look): Seen {
  return { look, chunks: null, outputs: null };
}

function tooLarge(bytes: number): { code: string; message: string } {
  return {
    code: "too_large",
    message: `The response has ${bytes} bytes; at most ${LARGEST_BODY} can be stored. Its calls and their code are kept, what they printed is not.`,
  };
}

function broken(how: How): Look {
  const message = "OpenAI's answer was not a response object. It is looked at again.";
  return unseen({ ...how, code: "broken_body", message, refused: false });
}

// The SDK throws more than its own errors: a SyntaxError on half a body, a TypeError on HTML, a DOMException on a time-out.
function failure(error: unknown, at: string, channel: Channel): Look {
  const message = messageOf(error);
  if (!(error instanceof APIError) || error.status === undefined) {
    const what = { at, channel, status: null, requestId: null, code: "unreachable", message };
    return unseen({ ...what, refused: false });
  }
  const status: number = Number(error.status);
  const code = error.code ?? `http_${status}`;
  const requestId = error.requestID ?? null;
  const refused = isRefusal(status, code);
  const look = unseen({ at, channel, status, requestId, code, message, refused });
  return { ...look, retry_after: retryAfter({ headers: error.headers }) };
}

function unseen(what: {
  at: string;
  channel: Channel;
  status: number | null;
  requestId: string | null;
  code: string;
  message: string;
  refused: boolean;
}): Look {
  return {
    observation: {
      at: what.at,
      channel: what.channel,
      http_status: what.status,
      status: null,
      request_id: what.requestId,
      calls: [],
    },
    facts: null,
    calls: null,
    body: null,
    error: { code: what.code, message: what.message.slice(0, 2_000) },
    refused: what.refused,
    retry_after: null,
    broke_at: null,
  };
}

function isRefusal(status: number, code: string): boolean {
  if (status === 429) return MONEY.some((pattern) => pattern.test(code));
  return status >= 400 && status < 500 && status !== 408 && status !== 409;
}

function retryAfter(error: { headers: unknown }): number | null {
  const { headers } = error;
  if (!(headers instanceof Headers)) return null;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
