// One look by each channel: asks OpenAI, gives an observation. A failure of OpenAI's is an observation too, never an exception.
import { APIError } from "openai";
import { z } from "zod";
import { LARGEST_BODY, readBody } from "./body.ts";
import { callItems, parseJson, readCalls, readResponse } from "./facts.ts";
import { messageOf, replayEvents, retrieve } from "./openai.ts";
import { searchConversation, watch } from "./channels.ts";
import type { Body, Channel, Known, Look } from "./record.ts";
import type { Seen } from "./recorder.ts";
import { LARGEST_VALUE } from "./store.ts";
import { hasCredentials, withoutSecrets } from "./redact.ts";

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
  const response = await retrieve(env, record.id, record.include, signal);
  const requestId = response.headers.get("x-request-id");
  const stream: ReadableStream<Uint8Array> | null = response.body;
  if (stream === null) return unread(broken(at, response.status, requestId));
  const body = await readBody(stream);
  const value = parseJson(body.short);
  const read = readResponse(value);
  if (read === null) return unread(broken(at, response.status, requestId));
  const chunks = withoutCredentials(body.chunks, value);
  const look: Look = {
    observation: {
      at,
      channel: "refetch",
      http_status: response.status,
      status: read.facts.status,
      request_id: requestId,
      calls: read.calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts: read.facts,
    calls: read.calls,
    body: chunks === null ? null : await describe(chunks),
    error: body.chunks === null ? tooLarge(body.bytes) : null,
    refused: false,
    retry_after: null,
  };
  return { look, chunks, outputs: spareOutputs(record, chunks) };
}

// Only where outputs are known already can a new body fail to replace the old one; then what is new in it is kept beside it.
function spareOutputs(record: Known, chunks: Uint8Array[] | null): unknown[] | null {
  if (chunks === null || !record.calls.some((call) => call.state === "populated")) return null;
  const parsed = Output.safeParse(parseJson(textOf(chunks)));
  return parsed.success ? callItems(parsed.data.output) : null;
}

// Whether OpenAI sends a tool's credentials back is not known. They must not be stored, so a body that has them is stored without.
function withoutCredentials(chunks: Uint8Array[] | null, short: unknown): Uint8Array[] | null {
  const tools = Tools.safeParse(short);
  if (chunks === null || !tools.success || !hasCredentials(tools.data)) return chunks;
  const whole = z.record(z.string(), z.unknown()).parse(parseJson(textOf(chunks)));
  const { tools: clean } = withoutSecrets({ tools: whole["tools"] });
  return [new TextEncoder().encode(JSON.stringify({ ...whole, tools: clean }))];
}

function textOf(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

async function byStream(env: Env, record: Known, at: string, signal: AbortSignal): Promise<Seen> {
  const { requestId, events } = await replayEvents(env, record.id, record.include, signal);
  const { items, status } = await watch(events);
  return otherChannel({ at, channel: "stream", requestId, items, status });
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
  return otherChannel({ at, channel: "conversation", ...found, status: null });
}

function otherChannel(found: {
  at: string;
  channel: Channel;
  requestId: string | null;
  items: unknown[];
  status: string | null;
}): Seen {
  const calls = readCalls(found.items);
  const look: Look = {
    observation: {
      at: found.at,
      channel: found.channel,
      http_status: 200,
      status: found.status,
      request_id: found.requestId,
      calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts: null,
    calls,
    body: null,
    error: null,
    refused: false,
    retry_after: null,
  };
  const outputs = callItems(found.items);
  const bytes = new TextEncoder().encode(JSON.stringify(outputs)).byteLength;
  if (bytes <= LARGEST_VALUE) return { look, chunks: null, outputs };
  // The observation says that they were there; what can't be kept isn't recovered.
  return { look: { ...look, calls: null, error: tooLarge(bytes) }, chunks: null, outputs: null };
}

function unread(look: Look): Seen {
  return { look, chunks: null, outputs: null };
}

async function describe(chunks: Uint8Array[]): Promise<Body> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  let bytes = 0;
  for (const chunk of chunks) {
    await writer.write(chunk);
    bytes += chunk.byteLength;
  }
  await writer.close();
  return { digest: hex(new Uint8Array(await stream.digest)), bytes };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tooLarge(bytes: number): { code: string; message: string } {
  return {
    code: "too_large",
    message: `The response has ${bytes} bytes; at most ${LARGEST_BODY} can be stored. Its calls and their code are kept, what they printed is not.`,
  };
}

function broken(at: string, status: number, requestId: string | null): Look {
  const message = "OpenAI's answer was not a response object. It is looked at again.";
  const what = { at, channel: "refetch", status, requestId, code: "broken_body", message } as const;
  return unseen({ ...what, refused: false });
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
