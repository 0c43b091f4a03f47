// What to do next, and when. Pure: no I/O, no clock; every time comes from the record.
import { applyControl, applyObservation, isTerminal } from "./reducer.ts";
import {
  BREAK_UNKNOWN,
  type Channel,
  type ControlResult,
  type ObservationResult,
  type Policy,
  type RecorderEvent,
  type StoredRecord,
} from "./schema.ts";

/** A run whose end was not seen by then is abandoned. */
const ABANDON_AFTER_SECONDS = 24 * 60 * 60;
const MAX_CHANNEL_ATTEMPTS = 3;
/** Seconds between two attempts by the same other channel. */
const CHANNEL_RETRY_SECONDS = 5;
/** After a webhook for a response that has our metadata, seconds to wait for its trigger's hand-over. */
const TRIGGER_GRACE_SECONDS = 10;
/** A response that was never seen counts as not found after this many seconds of 404. */
const NOT_FOUND_AFTER_SECONDS = 60;
/** The longest delay between two polls. A response with `store: false` can be gone 10 minutes after its end. */
const MAX_POLL_SECONDS = { stored: 300, unstored: 30 };
/** After this many observations all polls wait the longest delay, so that an instance stays within its 1,024 steps. */
const MANY_OBSERVATIONS = 120;
/** No observation follows after this many: each takes two of the 1,024 steps that an instance has at least, files take the rest. */
const MAX_OBSERVATIONS = 420;
/** After the end a Recorder accepts this many events; each takes a step. */
const MAX_EVENTS = 100;

/** With `store: false`, the last refetch is planned this many seconds after the end: OpenAI deletes such a response after 10 minutes. */
const UNSTORED_TTL_SECONDS = 570;

/** Polls go on while a connection is held, because its Holder may have died without a report. */
const POLL_WHILE_HELD_SECONDS = 300;
/** When the response is known to have ended, its Holder has this many seconds to report. */
const HOLDER_REPORT_TIMEOUT_SECONDS = 60;

/** What to do next. An observation waits `afterSeconds` for an event first. */
export type Action =
  | { type: "observe"; channel: Channel; afterSeconds: number }
  | { type: "await_control" }
  | { type: "end"; verdict?: "not_found" | "abandoned" };

const END: Action = { type: "end" };

/** The next action for a run. */
export function nextAction(record: StoredRecord, policy: Policy): Action {
  if (record.excluded) return END;
  const observations = runObservations(record);
  if (record.refetch_requested && observations.length < MAX_OBSERVATIONS) return refetchIn(0);
  if (record.settled_at !== null) return END;
  if (isTerminal(record.status) && observations.length > 0) return actionAfterEnd(record, policy);
  if (observations.length === 0 && !record.held_due) return firstObservation(record, policy);
  if (wasNeverFound(record)) return { type: "end", verdict: "not_found" };
  const left = ABANDON_AFTER_SECONDS - elapsedSeconds(record);
  if (left <= 0 || observations.length >= MAX_OBSERVATIONS) {
    return { type: "end", verdict: "abandoned" };
  }
  const delay = record.held_due ? POLL_WHILE_HELD_SECONDS : pollDelay(record);
  return refetchIn(Math.min(Math.max(0, delay - secondsSinceObservation(record)), left));
}

// While outputs are missing that the code should have shown, every channel is tried, and then the response is refetched on schedule.
function actionAfterEnd(record: StoredRecord, policy: Policy): Action {
  if (record.held_due) {
    return { type: "observe", channel: "held", afterSeconds: HOLDER_REPORT_TIMEOUT_SECONDS };
  }
  if (record.awaits_trigger) {
    return refetchIn(Math.max(0, TRIGGER_GRACE_SECONDS - secondsSinceObservation(record)));
  }
  const isMissing = record.calls.some(({ verdict }) => verdict === "suspect" || verdict === "lost");
  if (isMissing && record.replay && !hasBeenTried(record, "stream")) {
    return observeOtherChannel("stream", record);
  }
  if (isMissing && record.conversation !== null && !hasBeenTried(record, "conversation")) {
    return observeOtherChannel("conversation", record);
  }
  const delay = isMissing ? nextRefetchDelay(record, policy) : null;
  if (delay !== null) return refetchIn(delay);
  return record.control_due ? { type: "await_control" } : END;
}

function nextRefetchDelay(record: StoredRecord, policy: Policy): number | null {
  const observations = runObservations(record);
  if (observations.length >= MAX_OBSERVATIONS || record.events_received >= MAX_EVENTS) return null;
  const lastObserved = Date.parse(observations.at(-1)?.at ?? record.started_at);
  const observedAfter = secondsSinceEnd(record, lastObserved);
  const now = secondsSinceEnd(record, latestTime(record));
  const limit = record.effective_store === false ? UNSTORED_TTL_SECONDS : Number.POSITIVE_INFINITY;
  let due = 0;
  for (const delay of policy.delays_seconds) {
    due += delay;
    if (due > observedAfter && due <= limit) return Math.max(0, due - now);
  }
  return null;
}

// A response can lack completed_at, as a failed one does: then the first observation of the end counts.
function secondsSinceEnd(record: StoredRecord, timeMs: number): number {
  const end =
    record.completed_at ?? runObservations(record).find(({ status }) => isTerminal(status))?.at;
  return end === undefined ? 0 : (timeMs - Date.parse(end)) / 1000;
}

// The latest time in the record, in milliseconds. All times have the same format, so their texts sort like the times.
function latestTime({ started_at, last_event_at, observations }: StoredRecord): number {
  const known = last_event_at !== null && last_event_at > started_at ? last_event_at : started_at;
  return Date.parse(observations.reduce((last, { at }) => (at > last ? at : last), known));
}

// A webhook or the end of a control can come between two observations, so the latest time can be later than the last observation.
function secondsSinceObservation(record: StoredRecord): number {
  const last = runObservations(record).at(-1)?.at;
  return last === undefined ? 0 : (latestTime(record) - Date.parse(last)) / 1000;
}

// A refusal is an answer as well; rate limits, server errors and network failures are not.
function hasBeenTried(record: StoredRecord, channel: Channel): boolean {
  const attempts = record.observations.filter((seen) => seen.channel === channel);
  const isAnswered = attempts.some(({ http_status: status }) => status !== null && status < 429);
  return isAnswered || attempts.length >= MAX_CHANNEL_ATTEMPTS;
}

function observeOtherChannel(channel: Channel, record: StoredRecord): Action {
  const isRetry = record.observations.at(-1)?.channel === channel;
  return { type: "observe", channel, afterSeconds: isRetry ? CHANNEL_RETRY_SECONDS : 0 };
}

function refetchIn(afterSeconds: number): Action {
  return { type: "observe", channel: "refetch", afterSeconds };
}

// A control is a run of its own: its observation says nothing about this one.
function runObservations(record: StoredRecord): StoredRecord["observations"] {
  return record.observations.filter((seen) => seen.channel !== "control");
}

/**
 * Whether an observation follows when a wait has ended. A webhook that arrives again after the end triggers none.
 * @param event The event that ended the wait; null when the time was up.
 */
export function triggersObservation(record: StoredRecord, event: RecorderEvent | null): boolean {
  if (event?.kind === "files") return false;
  if (event?.kind === "held") return record.held_due || record.held?.broke_at === BREAK_UNKNOWN;
  return !(event?.kind === "webhook" && isTerminal(record.status));
}

/** Applies one observation, and marks when the record changed and whether it is settled. */
export function applyAndSettle(
  record: StoredRecord,
  result: ObservationResult,
  policy: Policy,
): StoredRecord {
  const after = markSettled(applyObservation(record, result, policy.record_external), policy);
  return hasChanged(record, after) ? { ...after, recorded_at: result.observation.at } : after;
}

/** Applies the end of the control, in the same way. */
export function applyControlAndSettle(
  record: StoredRecord,
  result: ControlResult,
  policy: Policy,
): StoredRecord {
  const after = markSettled(applyControl(record, result), policy);
  const at = result.observation?.at ?? record.recorded_at;
  return hasChanged(record, after) ? { ...after, recorded_at: at } : after;
}

/** Marks the record as settled when no action is planned any more. */
export function markSettled(record: StoredRecord, policy: Policy): StoredRecord {
  const action = nextAction(record, policy);
  if (action.type !== "end" || record.settled_at !== null) return record;
  const at = new Date(latestTime({ ...record, last_event_at: null })).toISOString();
  return { ...record, verdict: action.verdict ?? record.verdict, settled_at: at };
}

/** Whether the record changed in a way that is worth storing. */
export function hasChanged(before: StoredRecord, after: StoredRecord): boolean {
  if (after.excluded || after.verdict === "pending") return false;
  // A requested refetch is stored even when it saw nothing new: it shows that the refetch was done.
  if (before.verdict === "pending" || before.refetch_requested) return true;
  return changeKey(before) !== changeKey(after);
}

/** Whether an ended run used containers whose files were not copied yet. */
export function needsFileCopy(record: StoredRecord): boolean {
  const isOpen = record.containers.length > 0 && record.files.length === 0;
  return isOpen && isTerminal(record.status) && !record.excluded;
}

/** Whether the list shows a record. It leaves out the sample ids of OpenAI's test events. */
export function isListed(record: StoredRecord): boolean {
  if (record.created_at === null) return false;
  return !(record.started_by === "webhook" && record.verdict === "not_found");
}

function changeKey(record: StoredRecord): string {
  const calls = record.calls.map((call) => [call.id, call.state, call.verdict, call.source]);
  const { status, verdict, body, settled_at, error, control, held } = record;
  return JSON.stringify([status, verdict, calls, body, settled_at, error, control, held]);
}

function firstObservation(record: StoredRecord, policy: Policy): Action {
  if (record.webhook !== null) return refetchIn(0);
  const waited = (latestTime(record) - Date.parse(record.started_at)) / 1000;
  return refetchIn(Math.max(0, policy.deadline_seconds - waited));
}

function wasNeverFound(record: StoredRecord): boolean {
  if (record.status !== null) return false;
  const observations = runObservations(record);
  if (observations.some((seen) => seen.http_status !== 404)) return false;
  const times = observations.map((seen) => Date.parse(seen.at));
  return Math.max(...times) - Math.min(...times) >= NOT_FOUND_AFTER_SECONDS * 1000;
}

function elapsedSeconds(record: StoredRecord): number {
  const last = record.observations.at(-1);
  return last === undefined ? 0 : (Date.parse(last.at) - Date.parse(record.started_at)) / 1000;
}

function pollDelay(record: StoredRecord): number {
  if (record.refused && record.status !== null) return MAX_POLL_SECONDS.stored;
  if (record.refused && runObservations(record).at(-1)?.http_status !== 404) {
    return MAX_POLL_SECONDS.stored;
  }
  const backoff = 2 ** Math.min(observationsSinceSignal(record), 10);
  return Math.min(Math.max(backoff, record.retry_after_seconds ?? 0), maxPollDelay(record));
}

function maxPollDelay(record: StoredRecord): number {
  const isUnstored =
    record.effective_store === false && runObservations(record).length < MANY_OBSERVATIONS;
  return isUnstored ? MAX_POLL_SECONDS.unstored : MAX_POLL_SECONDS.stored;
}

// After a webhook the end is near, and after a broken connection it may be: the backoff starts over.
function observationsSinceSignal(record: StoredRecord): number {
  const brokeAt = record.observations.findLast((seen) => seen.channel === "held")?.at;
  const since = record.webhook?.received_at ?? brokeAt;
  const observations = runObservations(record);
  if (since === undefined) return observations.length;
  return observations.filter((seen) => seen.at >= since).length;
}
