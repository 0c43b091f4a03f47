// Whether an answer of OpenAI's has all that was seen of a response before. Pure.
import type { Channel, ObservationResult, ObservedCall, StoredRecord } from "../schema.ts";
import { isFurther, isUnfinished } from "../verdict.ts";

/** Channels that show a response object, so that the outputs may be in the stored body. */
const BODY_CHANNELS: ReadonlySet<Channel> = new Set(["refetch", "stream", "held"]);

/**
 * Whether no answer has had all items of a response yet. The first answers after its end can lack some.
 * @param isFirst Whether this is the first answer after the end.
 */
export function awaitsItems(
  record: StoredRecord,
  { fields, calls, from_connection }: ObservationResult,
  isFirst: boolean,
): boolean {
  // One that had all of them counts, whatever comes later. A response that was cut off can lack some for good.
  const isOpen = record.awaits_items || isFirst;
  if (!isOpen || fields?.status !== "completed" || calls === null) return record.awaits_items;
  const { lacks_items } = fields;
  // The items of a stream came before its last event.
  return (lacks_items && !from_connection) || calls.some(runsOn) || lacksCall(record, calls);
}

function runsOn(call: ObservedCall): boolean {
  return isUnfinished(call) && call.state !== "populated";
}

// A conversation has calls of other responses, and a control has its own.
function lacksCall({ calls: known, observations }: StoredRecord, calls: ObservedCall[]): boolean {
  const own = observations.filter(({ channel }) => BODY_CHANNELS.has(channel));
  const ids = new Set([...known, ...own.flatMap((seen) => seen.calls)].map(({ id }) => id));
  return [...ids].some((id) => calls.every((call) => call.id !== id));
}

/** Whether a body lacks items, a call, or outputs of the present body, which it must not replace then. The outputs of a Connection can stand in its items alone. */
export function losesItems(record: StoredRecord, result: ObservationResult): boolean {
  // Nothing can be lost of a body without items.
  if (record.body === null || record.body_lacks_items) return false;
  if (result.fields?.lacks_items === true) return true;
  const seen = new Map((result.calls ?? []).map((call) => [call.id, call]));
  return record.calls.some((call) => {
    const found = seen.get(call.id);
    if (found === undefined) return true;
    if (found.status !== null && isFurther(call.status, found.status)) return true;
    const had =
      call.state === "populated" && call.source !== null && BODY_CHANNELS.has(call.source);
    return had && (found.state !== "populated" || result.from_connection);
  });
}
