// Reads an event stream of OpenAI's into a log, and tells what an event says beside its text.
import { concatChunks } from "../../lib/byte-stream.ts";
import { findMember } from "../../lib/json-scan.ts";
import type { BodyRead } from "../../lib/json-stream.ts";
import { identifyItem } from "../../openai/call-items.ts";
import { parseEvent, readErrorEvent, type StreamEvent } from "../../openai/event-stream.ts";
import { parseCalls } from "../../openai/response.ts";
import type { ConnectionEvent } from "../../record/connection/transition.ts";
import { redactJson } from "../../record/request/redact.ts";
import { isTerminal } from "../../record/reducer.ts";
import type { EventLog } from "./event-log.ts";

/** What an event says, and whether it is the last one. */
export type EventNews = {
  /** Null when only the event's text is to be stored. */
  seen: Extract<ConnectionEvent, { type: "seen" }> | null;
  /** Whether the event must be stored at once. */
  isImportant: boolean;
  isLast: boolean;
  /** The JSON of the response object that the event has, without credentials; null when it has none. */
  response: Uint8Array | null;
};

const NO_NEWS: EventNews = { seen: null, isImportant: false, isLast: false, response: null };

/**
 * Adds an event to a log.
 * @param after Events up to this `sequence_number` are known already; null when none is.
 * @returns Null when the event is known already, or is none.
 */
export function addEvent(log: EventLog, body: BodyRead, after: number | null): EventNews | null {
  const event = parseEvent(body);
  if (event === null) return null;
  const sequenceNumber = event.sequence_number ?? null;
  if (after !== null && sequenceNumber !== null && sequenceNumber <= after) return null;
  // An event that is too large is kept with its long texts truncated.
  const whole = body.chunks ?? [new TextEncoder().encode(body.truncated)];
  // One copy, that all others are views into: an event can be megabytes.
  const json = concatChunks(hasEcho(event) ? redactJson(whole, event, body.truncated) : whole);
  const label = sequenceNumber === null ? event.type : `${sequenceNumber} ${event.type}`;
  const number = log.append([json], { label, sequenceNumber });
  return toNews(event, number, body, json);
}

// Only these can repeat the request.
function hasEcho({ response, tools }: StreamEvent): boolean {
  return response !== undefined || tools !== undefined;
}

function toNews(event: StreamEvent, number: number, body: BodyRead, json: Uint8Array): EventNews {
  const { type, response, item } = event;
  const error = readErrorEvent(event);
  if (error !== null) return { ...NO_NEWS, seen: { type: "seen", error }, isImportant: true };
  if (type === "response.output_item.done") {
    const place = event.output_index ?? null;
    const { key, callId: call_id } = identifyItem(item) ?? { key: `#${number}`, callId: null };
    const [call] = parseCalls([item]);
    const cut_bytes = body.chunks === null ? body.bytes : null;
    const finished = { key, call_id, state: call?.state ?? null, place, number, cut_bytes };
    return { ...NO_NEWS, seen: { type: "seen", item: finished }, isImportant: true };
  }
  if (response === undefined) return NO_NEWS;
  const found = findMember(json, "response") ?? new Uint8Array(0);
  const { status } = response;
  if (!isTerminal(status)) {
    // A response object without a status says nothing of the run's.
    const seen = status === "" ? null : { type: "seen" as const, status };
    return { ...NO_NEWS, seen, isImportant: true, response: found };
  }
  const size = body.chunks === null ? body.bytes : found.length;
  const where = { number, offset: found.byteOffset - json.byteOffset, length: found.length, size };
  const seen = { type: "seen" as const, status, response: where };
  return { seen, isImportant: true, isLast: true, response: found };
}
