// Applies the results of effects to a Recorder's state. Pure.
import { withExpiry } from "./apply-call.ts";
import { afterCopy, afterFailedFile, afterSearch, retryFiles } from "./apply-files.ts";
import { afterNotification } from "./apply-notification.ts";
import { applyObservation, isTerminal } from "../reducer.ts";
import {
  addProgress,
  clearAttempts,
  countAttempt,
  keepOutputs,
  observeNow,
  reopen,
  settle,
  toIso,
  withRecord,
} from "./run-state.ts";
import { afterStatusCheck, isObservation, pauseStatusChecks } from "./status-check.ts";
import {
  applyAndSettle,
  applyControlAndSettle,
  hasChanged,
  isStorable,
  markStored,
} from "../schedule.ts";
import {
  BREAK_UNKNOWN,
  NO_RESULT,
  type ControlResult,
  type ObservationResult,
  type StoredRecord,
} from "../schema.ts";
import type { ResultEvent } from "../events.ts";
import {
  unsearchedContainers,
  type GoneState,
  type RunState,
  type Running,
  type State,
} from "../state.ts";

/** After this many deaths on large bodies in a row a response counts as too large. */
const MAX_LARGE_BODY_DEATHS = 3;

/** What a control brought can't be read: the object did not survive it. */
const UNREADABLE_CONTROL: ControlResult = {
  observation: null,
  control: { id: null, status: "interrupted", calls: [] },
};

/** A write of an object that died may still arrive; the next one waits, so that it is the last. */
const LOST_WRITE_MS = 5_000;

type Result<Type extends ResultEvent["type"]> = Extract<ResultEvent, { type: Type }>;

/** The state after an effect's result. The result of another turn changes nothing. */
export function applyResult(state: State, event: ResultEvent, now: number): State {
  const { running } = state;
  if (running === null || running.turn !== event.turn) return state;
  return state.kind === "run"
    ? applyRunResult(state, running, event, now)
    : applyGoneResult(state, running, event, now);
}

function applyGoneResult(
  state: GoneState,
  running: Running,
  event: ResultEvent,
  now: number,
): GoneState {
  const free = { ...state, running: null };
  if (event.type === "failed" || event.type === "lost") {
    return { ...free, ...countAttempt(state, running, event.type === "lost", now) };
  }
  if (running.type === "unlist") return { ...free, ...clearAttempts(), catalog_version: null };
  return { ...free, ...clearAttempts(), erased: state.erased + 1 };
}

function applyRunResult(
  state: RunState,
  running: Running,
  event: ResultEvent,
  now: number,
): RunState {
  if (event.type === "large_body") {
    const large_bodies = state.observation.large_bodies + 1;
    return { ...state, observation: { ...state.observation, large_bodies } };
  }
  const free = { ...state, running: null };
  if (event.type === "failed") return afterFailure(free, running, event.reason, now);
  if (event.type === "lost") return afterFailure(free, running, null, now);
  if (event.type === "observed") return afterObserved(free, running, event, now);
  if (event.type === "control_observed") return afterControl(free, event, now);
  if (event.type === "stored") return afterStore(free, running, now);
  if (event.type === "files_found") return afterSearch(free, running, event, now);
  if (event.type === "file_copied") return afterCopy(free, event.file, now);
  if (event.type === "notified") return afterNotification(free, running, event.status, false, now);
  const { catalog } = state;
  if (event.type === "unlisted") {
    return { ...free, catalog: { ...catalog, ...clearAttempts(), version: null } };
  }
  const listed = { listed_revision: running.revision, due_ms: running.due_ms };
  return { ...free, catalog: { ...catalog, ...clearAttempts(), ...listed } };
}

function afterObserved(
  state: RunState,
  running: Running,
  event: Result<"observed">,
  now: number,
): RunState {
  if (!running.is_status_check) return afterObservation(state, running, event);
  const { result } = event;
  if (!isObservation(state.record, result)) return afterStatusCheck(state, running, result, now);
  const begun = addProgress(state, "observing", toIso(running.began_ms), running.channel);
  return afterObservation(begun, running, event);
}

function afterObservation(
  state: RunState,
  running: Running,
  { result, hasOutputs, isBodyLost = false }: Result<"observed">,
): RunState {
  const { record: before, policy } = state;
  const { channel, at } = result.observation;
  const record = applyAndSettle(before, result, policy, running.requested);
  // A run that was gone and is in flight again is not stored, but its row changes.
  const isAnswer = hasChanged(before, record) || (running.requested && isStorable(record));
  const hasNews = isAnswer || record.verdict !== before.verdict;
  const cleared = { ...state.observation, ...clearAttempts(), large_bodies: 0 };
  // Its Connection may have reported its end while it was read.
  const observation = result.from_connection ? { ...cleared, connection: false } : cleared;
  const applied = addProgress({ ...state, observation }, "observed", at, channel);
  const changed = withExpiry(withRecord(applied, record, hasNews));
  const observed = withoutEarlyOutputs(withBody(changed, result, isBodyLost), result);
  const isEarly = !isTerminal(record.status) && record.calls !== before.calls;
  const isKept = hasNews || result.from_connection || isEarly;
  const kept =
    hasOutputs && isKept && needsOutputs(record, result)
      ? keepOutputs(observed, channel)
      : observed;
  const isSeen = channel === "refetch" && result.fields !== null;
  return afterEvents(isSeen ? retryFiles(kept, running.requested) : kept, at);
}

// A control that still runs is known to exist, whether or not its Connection's announcement came.
function afterControl(
  state: RunState,
  { result, hasOutputs }: Pick<Result<"control_observed">, "result" | "hasOutputs">,
  now: number,
): RunState {
  const observation = { ...state.observation, ...clearAttempts(), large_bodies: 0 };
  if (result === null || isOutdated(state, result, now)) {
    return { ...state, observation, record: { ...state.record, control_opened: true } };
  }
  // Its Connection may have reported its end while it was read.
  const free = { ...state, observation: { ...observation, control: false } };
  const after = applyControlAndSettle(state.record, result, state.policy);
  const ended = addProgress(withRecord(free, after, true), "control_ended", toIso(now), "control");
  return hasOutputs ? keepOutputs(ended, "control") : ended;
}

// Its Connection was opened after it was asked for.
function isOutdated(
  { record, policy }: RunState,
  { control }: ControlResult,
  now: number,
): boolean {
  const endMs = Date.parse(record.started_at) + policy.limits.control_timeout_seconds * 1000;
  return control.status === "not_run" && record.control_opened && now < endMs;
}

// A webhook that came during the observation calls for another one, unless this one saw the end.
function afterEvents(state: RunState, at: string): RunState {
  const { observation, record } = state;
  if (observation.now !== "event") return state;
  if (isTerminal(record.status)) return { ...state, observation: { ...observation, now: null } };
  return reopen(state, at);
}

// A body that the rows have is not written again; nor one that KV has had for so long that the rows were dropped, unless KV has lost it since.
function withBody(state: RunState, result: ObservationResult, isLost: boolean): RunState {
  const { record, rows, kv } = state;
  const digest = result.body?.digest ?? null;
  if (digest === null || record.body?.digest !== digest || !isStorable(record)) return state;
  if (rows.body_digest === digest) return state;
  if (rows.body_digest === null && kv.body_digest === digest && !isLost) return state;
  return { ...state, rows: { ...rows, body_digest: digest, drop_at_ms: null } };
}

// The body has the results that a refetch in flight had.
function withoutEarlyOutputs(state: RunState, { body, calls }: ObservationResult): RunState {
  const { record, rows } = state;
  const isTaken = body !== null && record.body?.digest === body.digest;
  if (!isTaken || !rows.unstored_outputs.includes("refetch")) return state;
  const had = (calls ?? []).filter((call) => call.state === "populated").map(({ id }) => id);
  const isWhole = record.calls.every(({ id, source }) => source !== "refetch" || had.includes(id));
  if (!isWhole) return state;
  const unstored_outputs = rows.unstored_outputs.filter((channel) => channel !== "refetch");
  return { ...state, rows: { ...rows, unstored_outputs } };
}

// The channel's items are stored in addition to the body when it lacks some of them, or when a call has its result from there.
function needsOutputs(record: StoredRecord, { observation, body }: ObservationResult): boolean {
  if (record.excluded) return false;
  const { channel } = observation;
  const isUseful =
    record.partial_from === channel || record.calls.some((call) => call.source === channel);
  const isTaken = body !== null && record.body?.digest === body.digest;
  return isUseful && !(channel === "refetch" && isTaken);
}

function afterStore(state: RunState, running: Running, now: number): RunState {
  const { record, rows } = state;
  if (running.type === "store_outputs") {
    const unstored_outputs = rows.unstored_outputs.filter((one) => one !== running.channel);
    return {
      ...state,
      rows: { ...rows, unstored_outputs },
      kv: { ...state.kv, ...clearAttempts() },
    };
  }
  const stored = { record_revision: running.revision, body_digest: record.body?.digest ?? null };
  const kv = { ...state.kv, ...clearAttempts(), ...stored };
  return addProgress({ ...state, kv }, "stored", toIso(now));
}

// `reason`: null when the effect died with its object.
function afterFailure(
  state: RunState,
  running: Running,
  reason: string | null,
  now: number,
): RunState {
  const died = reason === null;
  if (running.type === "notify") return afterNotification(state, running, null, died, now);
  const isQuiet = died || running.is_status_check;
  const failed = isQuiet ? state : addProgress(state, "failed", toIso(now), running.channel);
  if (running.type === "observe") return afterFailedObservation(failed, running, died, now);
  if (running.type === "find_files" || running.type === "copy_file") {
    return afterFailedFile(failed, running, reason, now);
  }
  if (running.type === "list" || running.type === "unlist") {
    return {
      ...failed,
      catalog: { ...state.catalog, ...countAttempt(state.catalog, running, died, now) },
    };
  }
  const counted = countAttempt(state.kv, running, died, now);
  const not_before_ms = Math.max(
    counted.not_before_ms,
    died ? running.began_ms + LOST_WRITE_MS : 0,
  );
  // The search for files that follows a write is not stored when it begins: it may be what the object died of.
  const isSearchSuspect = died && unsearchedContainers(state).length > 0;
  const searched = isSearchSuspect ? countAttempt(state.files, running, died, now) : {};
  const files = { ...state.files, ...searched };
  return { ...failed, files, kv: { ...state.kv, ...counted, not_before_ms } };
}

function afterFailedObservation(
  state: RunState,
  running: Running,
  died: boolean,
  now: number,
): RunState {
  const { channel, requested } = running;
  const { observation } = state;
  if (died && observation.large_bodies >= MAX_LARGE_BODY_DEATHS) {
    return channel === "control"
      ? afterControl(state, { result: UNREADABLE_CONTROL, hasOutputs: false }, now)
      : afterTooLarge(state, running, now);
  }
  if (running.is_status_check) return pauseStatusChecks(state, running, now);
  const counted = { ...observation, ...countAttempt(observation, running, died, now) };
  if (channel === "control") return { ...state, observation: { ...counted, control: true } };
  if (running.from_connection) return { ...state, observation: { ...counted, connection: true } };
  const waiting = { ...state, observation: counted };
  // The schedule plans the other channels again.
  return channel === "refetch" ? observeNow(waiting, requested ? "requested" : "event") : waiting;
}

// The body was there three times, and three times the object did not survive it.
function afterTooLarge(state: RunState, running: Running, now: number): RunState {
  const { from_connection } = running;
  const channel = running.channel ?? "refetch";
  const error = {
    code: "too_large",
    message: `The response's body is larger than the memory that the Recorder has. It is refetched on request only: POST /results/${state.record.id}/refetch`,
  };
  const result: ObservationResult = {
    observation: {
      at: toIso(now),
      channel,
      http_status: 200,
      status: null,
      request_id: null,
      calls: [],
    },
    ...NO_RESULT,
    error,
    from_connection,
    broke_at: from_connection ? BREAK_UNKNOWN : null,
  };
  const observed = applyObservation(state.record, result, state.policy.record_external);
  const isWhole = channel === "refetch" || from_connection;
  const isOpen = ["pending", "not_found", "gone"].includes(observed.verdict);
  const verdict = isOpen ? "abandoned" : observed.verdict;
  const record = isWhole ? { ...observed, error, verdict, unreadable: true } : observed;
  const observation = { ...state.observation, ...clearAttempts(), large_bodies: 0, now: null };
  const ended = addProgress({ ...state, observation }, "observed", toIso(now), channel);
  return settle(withRecord(ended, markStored(record, toIso(now)), true));
}
