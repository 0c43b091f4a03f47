// A connection that brings a response's events, read to its end: by a control, by a replay, by a Holder.
import * as z from "zod";
import { parseAnswer, readCalls } from "./response.ts";
import { isTerminal } from "../record/reducer.ts";
import { memberOf, valueOf } from "../lib/json-scan.ts";
import type { ReadBody } from "../lib/json-stream.ts";
import { eventsOf } from "../lib/sse-parser.ts";

const Event = z.looseObject({
  type: z.string(),
  sequence_number: z.number().optional().catch(undefined),
  item: z.unknown().optional(),
  response: z.looseObject({ id: z.string(), status: z.string().catch("") }).optional(),
  /** Of an `error` event. */
  code: z.string().nullish().catch(null),
  message: z.string().nullish().catch(null),
});
type Event = z.infer<typeof Event>;

/** An answer whose body is a stream of events. */
export type Connection = {
  status: number;
  requestId: string | null;
  events: AsyncGenerator<ReadBody>;
};

/** A response object: what is short in it, and its bytes as they came; null when they were too many. */
export type Sent = { short: unknown; bytes: Uint8Array | null; size: number };

/** What a connection brought. */
export type Brought = {
  id: string | null;
  status: string | null;
  /** The number and the type of the last event. */
  last: string | null;
  /** The response of the event that ended it; null when the connection ended before. */
  response: Sent | null;
  /** The calls that were done, as they came, by id. Outputs stand here and again in the last event's response. */
  calls: Map<string, Uint8Array>;
  /** What OpenAI said in an `error` event. */
  problem: { code: string; message: string } | null;
  /** What broke the connection. */
  error: unknown;
};

/**
 * A connection from OpenAI's answer.
 * @param answer An answer to a request with `stream`.
 * @throws TypeError when it is no stream.
 */
export function connect(answer: Response): Connection {
  const type = answer.headers.get("content-type") ?? "";
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null || !type.includes("text/event-stream"))
    throw new TypeError("OpenAI's answer was not a stream.");
  return {
    status: answer.status,
    requestId: answer.headers.get("x-request-id"),
    events: eventsOf(body),
  };
}

/**
 * The response object of the first event that has one. What comes after it is still to be read.
 * @param connection The connection.
 * @returns Undefined when it ended without.
 * @throws Error when OpenAI sends an error in its place.
 */
export async function firstResponse({ events }: Connection): Promise<unknown> {
  for (;;) {
    const next = await events.next();
    if (next.done === true) return undefined;
    const event = read(next.value);
    if (event?.type === "error") throw new Error(event.message ?? "OpenAI sent an error.");
    if (event?.response !== undefined) return valueOf(partOf(next.value, "response") ?? undefined);
  }
}

/**
 * Reads a connection to its end, however it ends. After the event that ends a response it is closed, also where the other side leaves it open.
 * @param connection The connection.
 * @param enough Says of each event's type whether to stop there.
 */
export async function readToEnd(
  { events }: Connection,
  enough: (type: string) => boolean = () => false,
): Promise<Brought> {
  const brought: Brought = {
    id: null,
    status: null,
    last: null,
    response: null,
    calls: new Map(),
    problem: null,
    error: null,
  };
  try {
    for await (const body of events) {
      const event = read(body);
      if (event === null) continue;
      note(brought, event, body);
      if (brought.response !== null || enough(event.type)) break;
    }
  } catch (error) {
    brought.error = error;
  }
  return brought;
}

function note(brought: Brought, event: Event, body: ReadBody): void {
  const { type, sequence_number: number, response, item } = event;
  brought.last = number === undefined ? type : `${number} ${type}`;
  if (type === "error") {
    brought.problem = { code: event.code ?? "error", message: event.message ?? "" };
  }
  if (type === "response.output_item.done") noteCall(brought, item, body);
  if (response === undefined) return;
  brought.id = response.id;
  brought.status = response.status;
  if (!isTerminal(response.status)) return;
  const bytes = partOf(body, "response");
  brought.response = { short: response, bytes, size: bytes?.byteLength ?? body.bytes };
}

function noteCall(brought: Brought, item: unknown, body: ReadBody): void {
  const [call] = readCalls([item]);
  const bytes = call === undefined ? null : partOf(body, "item");
  if (call !== undefined && bytes !== null) brought.calls.set(call.id, bytes);
}

function partOf({ chunks }: ReadBody, name: string): Uint8Array | null {
  if (chunks === null) return null;
  return memberOf(whole(chunks), name) ?? null;
}

function whole(chunks: Uint8Array[]): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function read(body: ReadBody): Event | null {
  return Event.safeParse(parseAnswer(body.short)).data ?? null;
}
