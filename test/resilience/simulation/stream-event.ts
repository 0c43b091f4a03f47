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
