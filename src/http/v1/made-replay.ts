// A replay that is made from a stored response, once its events are not kept any more. Pure.
import { hideResult } from "../../api/answers/output-items.ts";
import { toShownResponse } from "../../api/answers/shown-response.ts";
import { concatChunks } from "../../lib/byte-stream.ts";
import { asArray, changeMembers, isString, memberMap } from "../../lib/json-scan.ts";
import { toResponseEvent, type ServedEvent } from "./served-events.ts";

/** The statuses whose names are those of a last event's type. OpenAI has none for `cancelled`. */
const EVENT_STATUSES = new Set(["completed", "failed", "incomplete"]);
/** A longer text of an item is left out of the event with which the item begins. */
const MAX_FIRST_TEXT_BYTES = 256;

const NOTHING: ReadonlySet<string> = new Set();
const encoder = new TextEncoder();

/** A response that has ended: its status, its JSON, and its output items, joined with those that only the recorder has. */
export type EndedResponse = {
  status: string;
  response: Uint8Array;
  items: Uint8Array[];
  /** Members that differ from the stored ones. */
  changes: Record<string, unknown>;
};

/** The members of a response that has just been created. */
const CREATED = {
  background: true,
  status: "queued",
  completed_at: null,
  error: null,
  incomplete_details: null,
  usage: null,
};

/** The last event of a run. */
export function toTerminalEvent(
  { status, response, items, changes }: EndedResponse,
  number: number,
  include: ReadonlySet<string>,
): ServedEvent {
  const type = `response.${EVENT_STATUSES.has(status) ? status : "failed"}`;
  const shown = { items, include, changes: { background: true, ...changes } };
  return toResponseEvent(type, number, toShownResponse(response, shown));
}

/**
 * The events of a replay: the created response, each item as it begins and as it is done, and the end. OpenAI's SDK takes no item that has not begun.
 * @param after The served number of the last event that the caller has; -1 when it has none. The last event is always sent: the number may be one of the whole stream.
 */
export function* replayResponse(
  ended: EndedResponse,
  after: number,
  include: ReadonlySet<string>,
): Generator<ServedEvent> {
  let number = 0;
  for (const event of replayItems(ended, include)) {
    if (event.number > after) yield event;
    number = event.number + 1;
  }
  yield toTerminalEvent(ended, Math.max(number, after + 1), include);
}

function* replayItems(
  { response, items }: EndedResponse,
  include: ReadonlySet<string>,
): Generator<ServedEvent> {
  const created = toShownResponse(response, { items: [], include, changes: CREATED });
  yield toResponseEvent("response.created", 0, created);
  for (const [index, item] of items.entries()) {
    const begin = `"output_index":${index},"item":`;
    yield toItemEvent("response.output_item.added", 2 * index + 1, begin, toBegunItem(item));
    yield toItemEvent("response.output_item.done", 2 * index + 2, begin, hideResult(item, include));
  }
}

function toItemEvent(type: string, number: number, begin: string, item: Uint8Array[]): ServedEvent {
  const head = encoder.encode(`{"type":"${type}","sequence_number":${number},${begin}`);
  return { number, type, json: [head, ...item, encoder.encode("}")] };
}

// What identifies the item is left of it.
function toBegunItem(item: Uint8Array): Uint8Array[] {
  const begun = concatChunks(hideResult(item, NOTHING));
  const changes = [...memberMap(begun)].flatMap(([name, value]): [string, string][] => {
    if (name === "status") return [[name, '"in_progress"']];
    if (asArray(value) !== null) return [[name, "[]"]];
    return isString(value) && value.byteLength > MAX_FIRST_TEXT_BYTES ? [[name, '""']] : [];
  });
  return changeMembers(begun, new Map(changes));
}
