// The events of a recorded run as callers of /v1 get them: with OpenAI's numbers, without what was not asked for. Pure.
import { hideResult } from "../../api/answers/output-items.ts";
import { toShownResponse } from "../../api/answers/shown-response.ts";
import { concatChunks, toOneLine } from "../../lib/byte-stream.ts";
import {
  arrayElements,
  asObject,
  changeMembers,
  memberMap,
  parseValue,
  type MemberChange,
} from "../../lib/json-scan.ts";

const SPACE = 0x20;
/** An event of more bytes is sent without a copy of it. */
const MAX_JOINED_BYTES = 64 * 1024;
/** A line break in a type would begin another field. */
const EVENT_TYPE = /^[\w.:-]+$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a caller gets of a run's events. */
export type StreamView = {
  /** OpenAI ran it in the foreground, for a caller who asked for the background. */
  isHeld: boolean;
  /** The `include` values of the create, and of this request. */
  include: ReadonlySet<string>;
  /** Whether deltas keep the letters that hide their length. */
  obfuscates: boolean;
};

/** An event as a caller gets it: its number, and its JSON in chunks. */
export type ServedEvent = { number: number; type: string; json: Uint8Array[] };

/** An event of a Connection, with the Connection's own number. */
export type OwnEvent = { number: number; json: Uint8Array };

/** Reads a line of `Connection.read`. */
export function parseOwnEvent(line: Uint8Array): OwnEvent {
  const end = line.indexOf(SPACE);
  return { number: Number(decoder.decode(line.subarray(0, end))), json: line.subarray(end + 1) };
}

/**
 * The own number after which a caller reads on.
 * @param after The served number of the last event that the caller has; -1 when it has none.
 */
export function toOwnNumber(after: number, { isHeld }: StreamView): number {
  if (!isHeld) return after + 1;
  // The first event is served as two.
  return after < 1 ? 0 : after;
}

/**
 * An event of a Connection as a caller gets it. Own numbers count from 1, OpenAI's from 0.
 * The first event of a held run is followed by a `response.queued`, which OpenAI sends only of a background run.
 */
export function toServedEvents({ number, json }: OwnEvent, view: StreamView): ServedEvent[] {
  if (!view.isHeld) return [toServedEvent(json, number - 1, view)];
  if (number > 1) return [toServedEvent(json, number, view)];
  const queued = { status: "queued" };
  const response = asObject(memberMap(json).get("response") ?? new Uint8Array(0));
  if (response === null) return [toServedEvent(json, 0, view)];
  return [
    toServedEvent(json, 0, view, queued),
    toResponseEvent("response.queued", 1, showResponse(response, view, queued)),
  ];
}

/** An event of ours with a response object. */
export function toResponseEvent(type: string, number: number, response: Uint8Array[]): ServedEvent {
  const begin = `{"type":${JSON.stringify(type)},"sequence_number":${number},"response":`;
  return { number, type, json: [encoder.encode(begin), ...response, encoder.encode("}")] };
}

/** An event as a server-sent event, in chunks. */
export function toServerSentEvent({ type, json }: ServedEvent): Uint8Array[] {
  const name = EVENT_TYPE.test(type) ? `event: ${type}\n` : "";
  const chunks = [encoder.encode(`${name}data: `), ...json.map(toOneLine), encoder.encode("\n\n")];
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return bytes > MAX_JOINED_BYTES ? chunks : [concatChunks(chunks)];
}

function toServedEvent(
  json: Uint8Array,
  number: number,
  view: StreamView,
  changes: Record<string, unknown> = {},
): ServedEvent {
  const members = memberMap(json);
  const type = String(parseValue(members.get("type")));
  const edits = new Map<string, MemberChange>();
  if (parseValue(members.get("sequence_number")) !== number) {
    edits.set("sequence_number", String(number));
  }
  const response = asObject(members.get("response") ?? new Uint8Array(0));
  if (response !== null) edits.set("response", showResponse(response, view, changes));
  const item = asObject(members.get("item") ?? new Uint8Array(0));
  if (item !== null) edits.set("item", hideResult(item, view.include));
  if (!view.obfuscates && members.has("obfuscation")) edits.set("obfuscation", null);
  return { number, type, json: edits.size === 0 ? [json] : changeMembers(json, edits) };
}

function showResponse(
  response: Uint8Array,
  { include }: StreamView,
  changes: Record<string, unknown>,
): Uint8Array[] {
  const items = arrayElements(memberMap(response).get("output"));
  return toShownResponse(response, { items, include, changes: { background: true, ...changes } });
}
