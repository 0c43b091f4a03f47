// What to do next, and when. Pure: no I/O, no clock; every moment comes from the record.
import { endOfAbsenceMs, findAbsence, lastSignalMs, wasSeen } from "./observed/absence.ts";
import { connectionChannel, lastObservedMs, runObservations } from "./observed/observations.ts";
import { applyControl, applyObservation, isTerminal } from "./reducer.ts";
import type { Policy } from "./policy.ts";
import type { Channel, ControlResult, ObservationResult, StoredRecord } from "./schema.ts";

const MAX_CHANNEL_ATTEMPTS = 3;
/** Milliseconds between two attempts by the same other channel. */
const CHANNEL_RETRY_MS = 5_000;
/** The longest delay between two polls. */
const MAX_POLL_SECONDS = 300;
/** The longest delay for a response with `store: false`, which can be gone 10 minutes after its end. */
const MAX_UNSTORED_POLL_SECONDS = 30;
/** A poll of such a response may wait this part of the run's age, so that a run of a day has hundreds of observations, not thousands. */
const POLL_SHARE_OF_AGE = 1 / 120;

/** With `store: false`, the last refetch is planned this many seconds after the end: OpenAI deletes such a response after 10 minutes. */
const UNSTORED_TTL_SECONDS = 570;

/** The next planned action, with its moment in milliseconds since 1970. A moment can be in the past. */
export type Action = { type: "observe"; channel: Channel; atMs: number } | { type: "end" };

const END: Action = { type: "end" };

/** The next action that the record alone calls for. Events ask for observations in addition: see transition. */
export function nextAction(record: StoredRecord, policy: Policy): Action {
  if (record.excluded || record.settled_at !== null) return END;
  if (record.unreadable) return readConnections(record, policy) ?? END;
  const observations = runObservations(record);
  if (isTerminal(record.status) && observations.length > 0) return actionAfterEnd(record, policy);
  if (observations.length === 0 && !record.connection_due) return firstObservation(record, policy);
  if (whyGivenUp(record, policy) !== null) return readConnections(record, policy) ?? END;
  return refetchAt(nextPollMs(record, policy));
}

// Why a run is observed no more whose end was not seen; null while it is, and after its end.
function whyGivenUp(
  record: StoredRecord,
  policy: Policy,
): "not_found" | "gone" | "abandoned" | null {
  if (isTerminal(record.status) || runObservations(record).length === 0) return null;
  const observedAtMs = lastObservedMs(record);
  const absence = findAbsence(record);
  // OpenAI may show a run in the foreground to no other caller. And only a 404 gives a run up.
  const isMissing = absence?.untilMs === observedAtMs && !record.connection_due;
  if (isMissing && observedAtMs >= endOfAbsenceMs(record, absence, policy)) {
    return wasSeen(record) ? "gone" : "not_found";
  }
  if (observedAtMs < abandonMs(record, policy)) return null;
  return record.verdict === "gone" ? "gone" : "abandoned";
}

function abandonMs({ started_at }: StoredRecord, { limits }: Policy): number {
  return Date.parse(started_at) + limits.abandon_after_seconds * 1000;
}

function nextPollMs(record: StoredRecord, policy: Policy): number {
  const observedAtMs = lastObservedMs(record);
  const delay = record.connection_due
    ? policy.limits.poll_while_connected_seconds
    : pollDelay(record);
  const absence = record.connection_due ? null : findAbsence(record);
  const endMs = absence === null ? 0 : endOfAbsenceMs(record, absence, policy);
  // An answer that says nothing of the response can come when its time is over.
  const absenceMs = endMs > observedAtMs ? endMs : Number.POSITIVE_INFINITY;
  return Math.min(observedAtMs + delay * 1000, abandonMs(record, policy), absenceMs);
}

// What is left to read when a run is given up. A Connection that lost its alarm reports nothing.
function readConnections(record: StoredRecord, policy: Policy): Action | null {
  if (record.connection_due) return observeConnection(record, policy);
  return record.control_due ? observeControl(record, policy) : null;
}

// A Connection has some time to report the end by itself.
function observeConnection(record: StoredRecord, { limits }: Policy): Action {
  const atMs = lastObservedMs(record) + limits.connection_report_seconds * 1000;
  return { type: "observe", channel: connectionChannel(record), atMs };
}

// While outputs are missing that the code should have shown, every channel is tried, and then the response is refetched on schedule. So it is while items are missing.
function actionAfterEnd(record: StoredRecord, policy: Policy): Action {
  if (record.connection_due) return observeConnection(record, policy);
  if (record.awaits_trigger) {
    return refetchAt(lastObservedMs(record) + policy.limits.trigger_grace_seconds * 1000);
  }
  const isMissing = lacksOutputs(record);
  if (isMissing && record.streamed && !hasBeenTried(record, "stream")) {
    return observeOtherChannel("stream", record);
  }
  if (isMissing && record.conversation !== null && !hasBeenTried(record, "conversation")) {
    return observeOtherChannel("conversation", record);
  }
  const [refetchAtMs] = plannedRefetchesMs(record, policy);
  if (refetchAtMs !== undefined) return refetchAt(refetchAtMs);
  return record.control_due ? observeControl(record, policy) : END;
}

// Its Connection reports its end. Only one that was never opened, or that lost its alarm, has to be asked.
function observeControl({ started_at, control_opened }: StoredRecord, { limits }: Policy): Action {
  const seconds = control_opened ? limits.control_timeout_seconds : limits.control_open_seconds;
  const atMs = Date.parse(started_at) + seconds * 1000;
  return { type: "observe", channel: "control", atMs };
}

function lacksOutputs({ calls }: StoredRecord): boolean {
  return calls.some(({ verdict }) => verdict === "suspect" || verdict === "lost");
}

/**
 * The moments, in milliseconds since 1970, at which an ended response is refetched while outputs or items are missing.
 * Those before the last observation are left out: what an outage let pass is made up for by one observation.
 */
export function plannedRefetchesMs(record: StoredRecord, policy: Policy): number[] {
  if (record.settled_at !== null || !isTerminal(record.status) || wasRemoved(record)) return [];
  if (!lacksOutputs(record) && !record.awaits_items) return [];
  const endMs = responseEndMs(record);
  // An answer that lacks items is a stale one, however long ago the response ended.
  let dueMs = record.awaits_items ? endSeenMs(record) : endMs;
  const isStored = record.effective_store !== false;
  const lastMs = isStored ? Number.POSITIVE_INFINITY : endMs + UNSTORED_TTL_SECONDS * 1000;
  const observedAtMs = lastObservedMs(record);
  const moments = policy.delays_seconds.map((delay) => (dueMs += delay * 1000));
  return moments.filter((moment) => moment > observedAtMs && moment <= lastMs);
}

// OpenAI had shown the response, and has it no more.
function wasRemoved({ observations }: StoredRecord): boolean {
  const refetches = observations.filter(({ channel }) => channel === "refetch");
  return (
    refetches.at(-1)?.http_status === 404 && refetches.some(({ status }) => isTerminal(status))
  );
}

// The end is never later than the first observation that saw it, whatever OpenAI's clock says. A failed response can lack completed_at.
function responseEndMs(record: StoredRecord): number {
  const seenMs = endSeenMs(record);
  return record.completed_at === null ? seenMs : Math.min(Date.parse(record.completed_at), seenMs);
}

function endSeenMs(record: StoredRecord): number {
  const seenAt = runObservations(record).find(({ status }) => isTerminal(status))?.at;
  return seenAt === undefined ? lastObservedMs(record) : Date.parse(seenAt);
}

// A refusal is an answer as well; rate limits, server errors, network failures and a stream without its end are not.
function hasBeenTried(record: StoredRecord, channel: Channel): boolean {
  const attempts = record.observations.filter((seen) => seen.channel === channel);
  const isAnswered = attempts.some(
    ({ http_status: http, status }) =>
      http !== null && http < 429 && (http !== 200 || channel !== "stream" || isTerminal(status)),
  );
  return isAnswered || attempts.length >= MAX_CHANNEL_ATTEMPTS;
}

function observeOtherChannel(channel: Channel, record: StoredRecord): Action {
  const last = record.observations.at(-1);
  const isRetry = last?.channel === channel;
  const atMs = lastObservedMs(record) + (isRetry ? CHANNEL_RETRY_MS : 0);
  return { type: "observe", channel, atMs };
}

function refetchAt(atMs: number): Action {
  return { type: "observe", channel: "refetch", atMs };
}

/**
 * Applies one observation, and marks when the record changed and whether it is settled.
 * @param isRequested Whether somebody asked for it: then it counts as a change even when it saw nothing new.
 */
export function applyAndSettle(
  record: StoredRecord,
  result: ObservationResult,
  policy: Policy,
  isRequested = false,
): StoredRecord {
  const after = markSettled(applyObservation(record, result, policy.record_external), policy);
  const changed = hasChanged(record, after) || (isRequested && isStorable(after));
  return changed ? markStored(after, result.observation.at) : after;
}

/** Applies the end of the control, in the same way. */
export function applyControlAndSettle(
  record: StoredRecord,
  result: ControlResult,
  policy: Policy,
): StoredRecord {
  const after = markSettled(applyControl(record, result), policy);
  const at = result.observation?.at ?? record.updated_at;
  return hasChanged(record, after) && at !== null ? markStored(after, at) : after;
}

/** Notes when a record is stored: the first time, and the last. */
export function markStored(record: StoredRecord, at: string): StoredRecord {
  return { ...record, recorded_at: record.recorded_at ?? at, updated_at: at };
}

/** Marks the record as settled when no action is planned any more, and gives up a run that is not found. */
export function markSettled(record: StoredRecord, policy: Policy): StoredRecord {
  if (record.settled_at !== null) return record;
  const isEnd = nextAction(record, policy).type === "end";
  // Its Connection may have its end.
  if (!isEnd && record.connection_due) return record;
  const verdict = record.unreadable ? null : whyGivenUp(record, policy);
  const judged = verdict === null ? record : { ...record, verdict };
  if (!isEnd) return verdict === record.verdict ? record : judged;
  const settled_at = latestTime(record);
  const excluded = record.excluded || isForeign(record, policy);
  return { ...judged, settled_at, excluded };
}

// Whether nothing shows that a response is ours, where others are not to be recorded.
function isForeign(record: StoredRecord, policy: Policy): boolean {
  return record.started_by === "webhook" && record.created_at === null && !policy.record_external;
}

// All times have the same format, so their texts sort like the times.
function latestTime({ started_at, observations }: StoredRecord): string {
  return observations.reduce((last, { at }) => (at > last ? at : last), started_at);
}

/** Whether the record changed in a way that is worth storing. */
export function hasChanged(before: StoredRecord, after: StoredRecord): boolean {
  if (!isStorable(after)) return false;
  return before.verdict === "pending" || changeKey(before) !== changeKey(after);
}

/** Whether a record may be stored in KV: an end was seen or given up, and the response is ours to record. */
export function isStorable(record: StoredRecord): boolean {
  return record.verdict !== "pending" && !record.excluded && !isUnrecorded(record);
}

/** Whether an external response was never found, as the sample ids of OpenAI's test events are. It leaves no record. */
export function isUnrecorded(record: StoredRecord): boolean {
  return record.excluded || (record.started_by === "webhook" && record.verdict === "not_found");
}

/** Whether the list shows a record. It leaves out what was never seen at OpenAI. */
export function isListed(record: StoredRecord): boolean {
  return record.created_at !== null && !isUnrecorded(record);
}

function changeKey(record: StoredRecord): string {
  const { status, verdict, calls, body, settled_at, error, control, held, files } = record;
  return JSON.stringify([status, verdict, calls, body, settled_at, error, control, held, files]);
}

function firstObservation(record: StoredRecord, policy: Policy): Action {
  if (record.webhook !== null) return refetchAt(Date.parse(record.webhook.received_at));
  return refetchAt(Date.parse(record.started_at) + policy.deadline_seconds * 1000);
}

function pollDelay(record: StoredRecord): number {
  if (record.refused) return MAX_POLL_SECONDS;
  const backoff = 2 ** Math.min(observationsSinceSignal(record), 10);
  return Math.min(Math.max(backoff, record.retry_after_seconds ?? 0), maxPollDelay(record));
}

function maxPollDelay(record: StoredRecord): number {
  if (record.effective_store !== false) return MAX_POLL_SECONDS;
  const age = (lastObservedMs(record) - Date.parse(record.started_at)) / 1000;
  const delay = Math.max(MAX_UNSTORED_POLL_SECONDS, Math.floor(age * POLL_SHARE_OF_AGE));
  return Math.min(delay, MAX_POLL_SECONDS);
}

// After a webhook the end is near, after a broken connection it may be, and at the first 404 as well: the backoff starts over. The reading of the Connection is the signal itself.
function observationsSinceSignal(record: StoredRecord): number {
  const sinceMs = Math.max(lastSignalMs(record) ?? 0, findAbsence(record)?.sinceMs ?? 0);
  const refetches = record.observations.filter(({ channel }) => channel === "refetch");
  return refetches.filter(({ at }) => Date.parse(at) >= sinceMs).length;
}
