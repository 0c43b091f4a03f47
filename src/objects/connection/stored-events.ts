// What is read out of a Connection's stored events. An event can be megabytes, so only what is asked for is loaded.
import { concatChunks } from "../../lib/byte-stream.ts";
import { findMember } from "../../lib/json-scan.ts";
import type { ConnectionState } from "../../record/connection/state.ts";
import type { EventLog } from "./event-log.ts";

const encoder = new TextEncoder();

/** The bytes of the whole response in the last event. */
export function* lastResponseParts(
  log: EventLog,
  { number, offset, length }: NonNullable<ConnectionState["response"]>,
): Generator<Uint8Array> {
  let skip = offset;
  let left = length;
  for (const part of log.eventParts(number)) {
    const bytes = part.subarray(skip, skip + left);
    skip = Math.max(0, skip - part.length);
    left -= bytes.length;
    if (bytes.length > 0) yield bytes;
    if (left <= 0) return;
  }
}

/**
 * The items of `output_item.done` events, as the JSON of an array.
 * @param numbers The events' own numbers.
 */
export function* itemsJson(log: EventLog, numbers: number[]): Generator<Uint8Array> {
  yield encoder.encode("[");
  for (const [index, number] of numbers.entries()) {
    const item = findMember(concatChunks([...log.eventParts(number)]), "item");
    if (index > 0) yield encoder.encode(",");
    yield item ?? encoder.encode("null");
  }
  yield encoder.encode("]");
}

/** The response object of the first event that has one; null when there is none. */
export function findFirstResponse(log: EventLog): Uint8Array | null {
  for (let number = 1; number <= log.lastNumber; number += 1) {
    const event = concatChunks([...log.eventParts(number)]);
    const response = event.length === 0 ? undefined : findMember(event, "response");
    if (response !== undefined) return response.slice();
  }
  return null;
}
