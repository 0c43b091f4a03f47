// The event stream of a response: its events, and what a whole replay brought.
import * as z from "zod";
import { concatChunks } from "../lib/byte-stream.ts";
import { findMember } from "../lib/json-scan.ts";
import { noticeLarge, type BodyRead } from "../lib/json-stream.ts";
import { parseEvents } from "../lib/sse-parser.ts";
import { MAX_ERROR_CODE_LENGTH, MAX_ERROR_MESSAGE_LENGTH } from "../record/limits.ts";
import { isTerminal } from "../record/reducer.ts";
import { identifyItem, isCallItem } from "./call-items.ts";
import { MAX_STATUS_LENGTH, parseUpstreamJson, shortText } from "./response.ts";

const text = z.string().nullish().catch(null);

/** Characters of an event's type; the last one's stands in the record. */
const MAX_TYPE_LENGTH = 128;

/** An odd member makes no event unreadable: another of its members may be all that is left of a call. */
const StreamEvent = z.looseObject({
  type: shortText(MAX_TYPE_LENGTH),
  sequence_number: z.number().optional().catch(undefined),
  item: z.unknown().optional(),
  /** The item's place in the output. */
  output_index: z.number().optional().catch(undefined),
  response: z
    .looseObject({ id: z.string().catch(""), status: shortText(MAX_STATUS_LENGTH).catch("") })
    .optional()
    .catch(undefined),
  /** Of an `error` event: OpenAI's document says flat, and recorded ones are nested. */
  code: text,
  message: text,
  error: z.looseObject({ code: text, type: text, message: text }).nullish().catch(null),
});
export type StreamEvent = z.infer<typeof StreamEvent>;

/** What an `error` event says. */
export type ErrorEvent = { code: string; message: string };

/** Reads an `error` event; null for any other. */
export function readErrorEvent({ type, code, message, error }: StreamEvent): ErrorEvent | null {
  if (type !== "error") return null;
  const words = { code: error?.code ?? error?.type ?? code, message: error?.message ?? message };
  return {
    code: (words.code ?? "error").slice(0, MAX_ERROR_CODE_LENGTH),
    message: (words.message ?? "").slice(0, MAX_ERROR_MESSAGE_LENGTH),
  };
}

/** An answer whose body is a stream of events. */
export type EventStream = {
  httpStatus: number;
  requestId: string | null;
  headers: Headers;
  events: AsyncGenerator<BodyRead>;
};

/** A response object: parsed with its long strings truncated, and its bytes as they came; null when they were too many. */
export type ResponseBytes = { truncated: unknown; bytes: Uint8Array | null; size: number };

/** What a stream brought. */
export type StreamResult = {
  status: string | null;
  /** The response of the terminal event; null when the stream ended before it. */
  response: ResponseBytes | null;
  /** Items of calls that were done, as they came, by their keys. Results appear here, and again in the terminal event's response. */
  items: Map<string, Uint8Array>;
  /** What broke the connection. */
  failure: unknown;
};

/**
 * Opens the event stream of an answer.
 * @param answer The answer to a request with `stream: true`.
 * @param onLarge Is awaited once, as soon as the events turn out to be large.
 * @throws TypeError when it is no event stream.
 */
export function openEventStream(
  answer: Response,
  onLarge: () => Promise<void> = async () => undefined,
): EventStream {
  const type = answer.headers.get("content-type") ?? "";
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null || !type.includes("text/event-stream")) {
    throw new TypeError("OpenAI's answer was not a stream.");
  }
  return {
    httpStatus: answer.status,
    requestId: answer.headers.get("x-request-id"),
    headers: answer.headers,
    events: parseEvents(noticeLarge(body, onLarge)),
  };
}

/** Reads a stream to its end, however it ends. It stops after the terminal event, also when OpenAI leaves the connection open. */
export async function consumeEvents({ events }: EventStream): Promise<StreamResult> {
  const result: StreamResult = {
    status: null,
    response: null,
    items: new Map(),
    failure: null,
  };
  try {
    for await (const body of events) {
      const event = parseEvent(body);
      if (event === null) continue;
      recordEvent(result, event, body);
      if (result.response !== null) break;
    }
  } catch (error) {
    result.failure = error;
  }
  return result;
}

function recordEvent(result: StreamResult, event: StreamEvent, body: BodyRead): void {
  const { type, response, item } = event;
  if (type === "response.output_item.done") recordItem(result, item, body);
  if (response === undefined) return;
  result.status = response.status;
  if (!isTerminal(response.status)) return;
  const bytes = findMemberBytes(body, "response");
  result.response = { truncated: response, bytes, size: bytes?.byteLength ?? body.bytes };
}

function recordItem(result: StreamResult, item: unknown, body: BodyRead): void {
  const key = isCallItem(item) ? identifyItem(item)?.key : undefined;
  const bytes = key === undefined ? null : findMemberBytes(body, "item");
  if (key !== undefined && bytes !== null) result.items.set(key, bytes);
}

function findMemberBytes({ chunks }: BodyRead, name: string): Uint8Array | null {
  if (chunks === null) return null;
  return findMember(concatChunks(chunks), name) ?? null;
}

/** Parses an event, with its long texts truncated; null when it is none, as the `[DONE]` of some gateways. */
export function parseEvent(body: BodyRead): StreamEvent | null {
  return StreamEvent.safeParse(parseUpstreamJson(body.truncated)).data ?? null;
}
