// A Connection's decisions: state, event and time in; state and alarm out. No I/O, no clock, no `this`.
import { isTerminal } from "../reducer.ts";
import type { RecorderParams } from "../schema.ts";
import {
  CONNECTION_STATE_VERSION,
  isReading,
  type ConnectionEnd,
  type ConnectionParams,
  type ConnectionState,
} from "./state.ts";

/** An object that only reads a stream is evicted after a minute or two; an alarm keeps it. */
const HEARTBEAT_MS = 25_000;
/** While a call to the Recorder is under way the alarm looks after it. */
const CHECK_CALL_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 300_000;
/** A told Connection tells again this often, until the Recorder has read what it brought. */
const TELL_AGAIN_MS = 60 * 60_000;
/** A broken stream is taken up again so often in a row; together that takes about three minutes. */
const MAX_RESUMES = 8;
const MAX_RESUME_DELAY_MS = 60_000;
/** A connection is closed before the Recorder gives its run up after a day. */
const MAX_OPEN_MS = 23.5 * 60 * 60_000;

/** The last event that is stored. `sequenceNumber` is OpenAI's; null when the event had none. */
export type LastEvent = { label: string; sequenceNumber: number | null };

/** What a Recorder answers to a report; each of them is heard. */
export type ReportOutcome = "accepted" | "known already" | "deleted";

/** What happens to a Connection. `last` is the last event that is stored; null when there is none. */
export type ConnectionEvent =
  | { type: "open"; connection: string; params: ConnectionParams }
  /** The first event with a response object came. */
  | {
      type: "opened";
      id: string;
      created: NonNullable<RecorderParams["created"]>;
      http_status: number;
      request_id: string | null;
    }
  /** OpenAI refused the request, or did not answer. */
  | {
      type: "not_opened";
      reason: "refused" | "unreachable";
      http_status: number | null;
      request_id: string | null;
    }
  /** An event came that says more than its text. */
  | {
      type: "seen";
      status?: string;
      item?: ConnectionState["items"][number];
      error?: NonNullable<ConnectionState["error"]>;
      response?: NonNullable<ConnectionState["response"]>;
    }
  /** The first new event after a stream was taken up again. */
  | { type: "resumed" }
  | { type: "resume_failed"; isRefused: boolean; last: LastEvent | null }
  | { type: "stream_ended"; reason: "terminal" | "broken" | "closed"; last: LastEvent | null }
  | { type: "told"; call: ConnectionCall["type"]; outcome: ReportOutcome }
  | { type: "tell_failed" }
  | { type: "release" }
  | { type: "close" }
  | { type: "remove" }
  /** `isAlive`: the object that fires it reads the stream, or is about to. An object that was created again does not. */
  | { type: "alarm"; isAlive: boolean; last: LastEvent | null };

/** A call to the Recorder that is due. */
export type ConnectionCall =
  | { type: "hand_over"; params: RecorderParams }
  | { type: "announce_control"; run: string }
  | { type: "tell_status"; id: string; status: string }
  | { type: "tell_end"; params: RecorderParams }
  | { type: "tell_control_end"; run: string };

export type ConnectionOutcome = {
  /** Null: the object deletes everything that it stores, its alarm too. */
  state: ConnectionState | null;
  /** The alarm to set, in milliseconds since 1970; null: it stays as it is. */
  alarm: number | null;
  /** Whether the object must let go of its connection to OpenAI. */
  disconnect: boolean;
};

/**
 * The next state of a Connection.
 * @param state What is stored; null for an empty object.
 * @param now Milliseconds since 1970.
 */
export function transitionConnection(
  state: ConnectionState | null,
  event: ConnectionEvent,
  now: number,
): ConnectionOutcome {
  const fired = event.type === "alarm" && state !== null ? { ...state, alarm_at_ms: null } : state;
  const after = fired === null ? begin(event, now) : apply(fired, event, now);
  if (after === null) return { state: null, alarm: null, disconnect: state !== null };
  const alarm = wantedAlarm(after, now);
  return {
    state: alarm === after.alarm_at_ms ? after : { ...after, alarm_at_ms: alarm },
    alarm: alarm === after.alarm_at_ms ? null : alarm,
    disconnect:
      event.type === "close" ? isReading(fired ?? after) : isReading(after) && isTooOld(after, now),
  };
}

/** The call to the Recorder that is due; null when there is none. One call is under way at a time. */
export function nextCall(state: ConnectionState, now: number): ConnectionCall | null {
  return now < state.not_before_ms ? null : plannedCall(state);
}

/**
 * Whether a broken stream is to be taken up again now, after the last event that is stored.
 * @param isAlive Whether the object reads the stream, or is about to.
 */
export function mustResume(state: ConnectionState, isAlive: boolean, now: number): boolean {
  return !isAlive && state.phase === "open" && (state.resume_at_ms ?? Infinity) <= now;
}

/** The id of the run that a Connection belongs to; null while it is not known. */
export function runOf({ params, id }: ConnectionState): string | null {
  return params.kind === "control" ? params.run : id;
}

function begin(event: ConnectionEvent, now: number): ConnectionState | null {
  if (event.type !== "open") return null;
  return {
    version: CONNECTION_STATE_VERSION,
    phase: "opening",
    connection: event.connection,
    params: event.params,
    opened_at_ms: now,
    id: null,
    created: null,
    http_status: null,
    request_id: null,
    status: null,
    told_status: null,
    handed_over: false,
    items: [],
    error: null,
    response: null,
    end: null,
    attempts: 0,
    not_before_ms: 0,
    resumes: 0,
    resume_at_ms: null,
    alarm_at_ms: null,
  };
}

function apply(
  state: ConnectionState,
  event: ConnectionEvent,
  now: number,
): ConnectionState | null {
  switch (event.type) {
    case "remove":
      return null;
    case "opened":
      return opened(state, event);
    case "not_opened":
      return notOpened(state, event, now);
    case "seen":
      return seen(state, event);
    case "resumed":
      return state.resume_at_ms === null ? state : { ...state, resumes: 0, resume_at_ms: null };
    case "resume_failed":
      return resumeFailed(state, event, now);
    case "stream_ended":
      return streamEnded(state, event, now);
    case "told":
      return told(state, event, now);
    case "tell_failed":
      return tellFailed(state, now);
    case "release":
      return state.end === null ? state : released(state);
    case "alarm":
      return onAlarm(state, event, now);
    case "close":
      return closed(state, now);
    case "open":
  }
  return state;
}

type EventOf<Type extends ConnectionEvent["type"]> = Extract<ConnectionEvent, { type: Type }>;

function opened(
  state: ConnectionState,
  { id, created, http_status, request_id }: EventOf<"opened">,
): ConnectionState {
  if (state.phase !== "opening") return state;
  return { ...state, phase: "open", id, created, http_status, request_id, status: created.status };
}

// The caller hears it at once, so nothing is left of a run; a control's run waits for its end.
function notOpened(
  state: ConnectionState,
  { reason, http_status, request_id }: EventOf<"not_opened">,
  now: number,
): ConnectionState | null {
  if (state.phase !== "opening") return state;
  if (state.params.kind !== "control") return null;
  return ended({ ...state, http_status, request_id }, reason, null, now);
}

function seen(state: ConnectionState, event: EventOf<"seen">): ConnectionState {
  const { status = state.status, error = state.error, response = state.response, item } = event;
  const items =
    item === undefined ? state.items : [...state.items.filter(({ key }) => key !== item.key), item];
  const isSame = status === state.status && error === state.error && response === state.response;
  return isSame && items === state.items ? state : { ...state, status, error, response, items };
}

// OpenAI replays a background stream; a foreground stream is gone with its connection.
function streamEnded(
  state: ConnectionState,
  { reason, last }: EventOf<"stream_ended">,
  now: number,
): ConnectionState {
  if (state.phase !== "open") return state;
  return reason === "broken" && canResume(state, last)
    ? planResume(state, now)
    : ended(state, reason, last, now);
}

// A control whose request is under way has ended with that. What a stream brought by then is kept first.
function closed(state: ConnectionState, now: number): ConnectionState {
  const isOpening = state.phase === "opening" && state.params.kind === "control";
  return isOpening ? ended(state, "closed", null, now) : state;
}

function resumeFailed(
  state: ConnectionState,
  { isRefused, last }: EventOf<"resume_failed">,
  now: number,
): ConnectionState {
  if (state.phase !== "open") return state;
  return isRefused || !canResume(state, last)
    ? ended(state, "broken", last, now)
    : planResume(state, now);
}

function canResume(
  { params, resumes, error, response }: ConnectionState,
  last: LastEvent | null,
): boolean {
  const isKnown = (last?.sequenceNumber ?? null) !== null;
  const isOver = error !== null || response !== null;
  return params.kind === "followed" && isKnown && !isOver && resumes < MAX_RESUMES;
}

function planResume(state: ConnectionState, now: number): ConnectionState {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** state.resumes, MAX_RESUME_DELAY_MS);
  return { ...state, resume_at_ms: now + delay };
}

function ended(
  state: ConnectionState,
  reason: ConnectionEnd["reason"],
  last: LastEvent | null,
  now: number,
): ConnectionState {
  // With the whole response there is nothing more to come, whatever happened to its connection.
  const how = state.response === null ? reason : "terminal";
  const end = { at_ms: now, reason: how, last_event: last?.label ?? null };
  // The end is news that does not wait for what failed before.
  return { ...state, phase: "ended", end, resume_at_ms: null, attempts: 0, not_before_ms: 0 };
}

function told(
  state: ConnectionState,
  { call, outcome }: EventOf<"told">,
  now: number,
): ConnectionState | null {
  if (outcome === "deleted") return null;
  // Each call starts a Recorder that does not know the run, the report of its end too.
  const heard = { ...state, handed_over: true, attempts: 0, not_before_ms: 0 };
  if (call === "tell_status") return { ...heard, told_status: state.status };
  if (call === "hand_over" || call === "announce_control") {
    return { ...heard, told_status: state.created?.status ?? null };
  }
  if (state.end === null) return heard;
  if (outcome === "known already") return released(heard);
  return state.phase === "released"
    ? heard
    : { ...heard, phase: "told", not_before_ms: now + TELL_AGAIN_MS };
}

function tellFailed(state: ConnectionState, now: number): ConnectionState {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** state.attempts, MAX_RETRY_MS);
  return { ...state, attempts: state.attempts + 1, not_before_ms: now + delay };
}

function released(state: ConnectionState): ConnectionState {
  return state.phase === "released"
    ? state
    : { ...state, phase: "released", attempts: 0, not_before_ms: 0 };
}

function onAlarm(
  state: ConnectionState,
  { isAlive, last }: EventOf<"alarm">,
  now: number,
): ConnectionState | null {
  if (state.phase === "released") return now >= endOfEvents(state) ? null : state;
  if (isAlive || !isReading(state)) return state;
  if (state.phase === "opening") {
    return state.params.kind === "control" ? ended(state, "lost", last, now) : null;
  }
  if (state.response === null && (state.resume_at_ms ?? 0) > now) return state;
  // An attempt counts when it begins: an event can be too large for the object, which dies of it each time.
  return canResume(state, last)
    ? { ...state, resumes: state.resumes + 1, resume_at_ms: now }
    : ended(state, "lost", last, now);
}

function plannedCall(state: ConnectionState): ConnectionCall | null {
  const { phase, params, id, status } = state;
  if (phase === "released") return null;
  if (phase === "ended" || phase === "told") {
    return params.kind === "control"
      ? { type: "tell_control_end", run: params.run }
      : { type: "tell_end", params: toRecorderParams(state) };
  }
  if (!state.handed_over && params.kind === "control") {
    return { type: "announce_control", run: params.run };
  }
  if (phase === "opening" || id === null) return null;
  if (!state.handed_over) return { type: "hand_over", params: toRecorderParams(state) };
  const isNews = status !== null && status !== state.told_status && !isTerminal(status);
  return isNews && params.kind !== "control" ? { type: "tell_status", id, status } : null;
}

function toRecorderParams({ params, id, created, connection }: ConnectionState): RecorderParams {
  if (params.kind === "control" || id === null) throw new Error("A control starts no Recorder.");
  return { ...params.start, id, created, connection: { id: connection, kind: params.kind } };
}

function wantedAlarm(state: ConnectionState, now: number): number {
  if (state.phase === "released") return Math.max(endOfEvents(state), now);
  const call = plannedCall(state);
  const callMs = state.not_before_ms > now ? state.not_before_ms : now + CHECK_CALL_MS;
  if (!isReading(state)) return callMs;
  const { alarm_at_ms: present, resume_at_ms: resumeMs } = state;
  const isNear = present !== null && present > now && present <= now + HEARTBEAT_MS;
  const heartbeat = isNear ? present : now + HEARTBEAT_MS;
  const resumes = resumeMs === null || resumeMs <= now ? heartbeat : resumeMs;
  return Math.min(heartbeat, resumes, call === null ? heartbeat : callMs);
}

function endOfEvents({ params, end, opened_at_ms }: ConnectionState): number {
  const limits = params.kind === "control" ? params.limits : params.start.policy.limits;
  return (end?.at_ms ?? opened_at_ms) + limits.keep_events_seconds * 1000;
}

function isTooOld({ opened_at_ms }: ConnectionState, now: number): boolean {
  return now >= opened_at_ms + MAX_OPEN_MS;
}
