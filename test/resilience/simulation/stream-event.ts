// An event of a stream of OpenAI's, as far as anything depends on it.
import type { ConnectionEvent } from "../../../src/record/connection/transition.ts";
import type { ObservedCall } from "../../../src/record/schema.ts";

/** What a stream's first event says of its response. */
export type Created = Pick<Extract<ConnectionEvent, { type: "opened" }>, "id" | "created">;

export type StreamEvent = {
  type: string;
  /** Its place in the stream, from 0. */
  place: number;
  /** OpenAI's number, which some gateways drop. */
  sequenceNumber: number | null;
  at: number;
  /** The status in its response object. */
  status: string | null;
  /** The response that begins with it. */
  created: Created | null;
  /** The call that is finished with it. */
  call: ObservedCall | null;
  /** Whether it has the whole response. */
  isLast: boolean;
};

/**
 * What an event says to the state of its Connection; null when its text is all.
 * @param number The event's own number.
 */
export function toSeen(
  { type, status, call, isLast }: StreamEvent,
  number: number,
): ConnectionEvent | null {
  if (type === "error") {
    return { type: "seen", error: { code: "server_error", message: "It failed." } };
  }
  if (call !== null) {
    const { id: key, state } = call;
    const item = { key, call_id: null, state, place: null, number, cut_bytes: null };
    return { type: "seen", item };
  }
  if (status === null) return null;
  if (!isLast) return { type: "seen", status };
  return { type: "seen", status, response: { number, offset: 0, length: 1, size: 1 } };
}
