// What a Connection stores of the event stream that it reads. Pure.
// Moments that end in `_ms` are milliseconds since 1970.
import * as z from "zod";
import { Limits } from "../policy.ts";
import { ResultState } from "../calls/item-kinds.ts";
import { RecorderParams } from "../schema.ts";

/** The version of the stored state. A later version reads the states of the version before. */
export const CONNECTION_STATE_VERSION = 1;

/** What the Recorder of a held or followed run starts with, as far as it is known before OpenAI answers. The request in it is redacted. */
export const StartParams = RecorderParams.omit({ id: true, created: true, connection: true });
export type StartParams = z.infer<typeof StartParams>;

/** What a Connection is opened for. The request itself is stored nowhere. */
export const ConnectionParams = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("held"), start: StartParams }),
  z.object({ kind: z.literal("followed"), start: StartParams }),
  /** `run`: the id of the background response that it is compared with. */
  z.object({ kind: z.literal("control"), run: z.string(), limits: Limits }),
]);
export type ConnectionParams = z.infer<typeof ConnectionParams>;

/** An output item whose `output_item.done` came, and the own number of that event. */
const FinishedItem = z.object({
  /** Identifies the item among those of its response. */
  key: z.string(),
  /** Of a call with its result, or of a result: what a call's items have in common. */
  call_id: z.string().nullable(),
  /** Of a call: what it showed of its result; null for any other item. */
  state: ResultState.nullable(),
  /** Its place in the output; null when the event did not tell. */
  place: z.number().nullable(),
  number: z.number(),
  /** The event's bytes where they were too many, so that its long texts are truncated; else null. */
  cut_bytes: z.number().nullable(),
});

/** Where the whole response stands in the last event: the event's own number, and the bytes of its JSON. */
const LastResponse = z.object({
  number: z.number(),
  offset: z.number(),
  length: z.number(),
  /** Bytes as they came; more than `length` when they were too many, so that long texts are truncated. */
  size: z.number(),
});

/** How a stream ended. */
export const ConnectionEnd = z.object({
  at_ms: z.number(),
  /** `terminal`: with its last event. `broken`: before it. `lost`: together with the object that read it. `closed`: on request. `refused`, `unreachable`: it never began. */
  reason: z.enum(["terminal", "broken", "lost", "closed", "refused", "unreachable"]),
  /** The number and the type of the last event that is stored; null when there is none. */
  last_event: z.string().nullable(),
});
export type ConnectionEnd = z.infer<typeof ConnectionEnd>;

/** What a Connection stores besides the events. An object whose state is null is empty. */
export const ConnectionState = z.object({
  version: z.literal(CONNECTION_STATE_VERSION),
  /** `ended`: the Recorder has not heard of it. `told`: it has, and did not read everything yet. `released`: nothing is needed any more. */
  phase: z.enum(["opening", "open", "ended", "told", "released"]),
  /** The Connection's own name. */
  connection: z.string(),
  params: ConnectionParams,
  opened_at_ms: z.number(),
  /** The id of the response whose events these are; null while it is not known. */
  id: z.string().nullable(),
  created: RecorderParams.shape.created,
  http_status: z.number().nullable(),
  request_id: z.string().nullable(),
  /** The status in the last response object. */
  status: z.string().nullable(),
  /** The status that the Recorder knows. */
  told_status: z.string().nullable(),
  /** Whether the Recorder has the run; of a control, whether it knows that the request is sent. */
  handed_over: z.boolean(),
  items: z.array(FinishedItem),
  /** What OpenAI said in an `error` event. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  response: LastResponse.nullable(),
  end: ConnectionEnd.nullable(),
  /** Failed calls to the Recorder in a row, and the moment before which there is no other. */
  attempts: z.number(),
  not_before_ms: z.number(),
  /** Attempts in a row to take up a broken stream that brought no new event, and the moment of the next one, or of the one under way; null when there is none. */
  resumes: z.number(),
  resume_at_ms: z.number().nullable(),
  /** The alarm that was set last; null when it fired. */
  alarm_at_ms: z.number().nullable(),
});
export type ConnectionState = z.infer<typeof ConnectionState>;

/** Whether the stream may still bring events. */
export function isReading({ phase }: ConnectionState): boolean {
  return phase === "opening" || phase === "open";
}
