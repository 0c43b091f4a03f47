// Applies calls to a Recorder's state. Pure.
import { addFiles } from "./apply-files.ts";
import { toExpiry } from "../policy.ts";
import { applyStart, applyWebhook, createRecord, isTerminal } from "../reducer.ts";
import {
  addProgress,
  clearAttempts,
  createRunState,
  observeNow,
  reopen,
  settle,
  toGoneState,
  toIso,
  withRecord,
} from "./run-state.ts";
import { isUnrecorded } from "../schedule.ts";
import { BREAK_UNKNOWN, type RecorderParams } from "../schema.ts";
import type { CallEvent } from "../events.ts";
import type { RunState, State } from "../state.ts";

const CHANGES_NOTHING: ReadonlySet<string> = new Set<CallEvent["type"]>([
  "alarm",
  "poke",
  "status_wanted",
]);

/** The state after a call. Alarms, readers and pokes change none: transition plans after them. */
export function applyCall(state: State | null, event: CallEvent, now: number): State | null {
  if (state !== null && state.kind !== "run") return state;
  if (CHANGES_NOTHING.has(event.type)) return state;
  if (event.type === "remove") return state === null ? null : toGoneState(state, "deleted", now);
  if (event.type === "start") return start(state, event.params, now);
  if (event.type === "webhook") return receiveWebhook(state, event.params, now);
  if (event.type === "refetch") return refetch(state, event.params, now);
  if (event.type === "connection_ended") return endConnection(state, event.params, now);
  if (state === null) return null;
  if (event.type === "relist") return relist(state);
  if (event.type === "files_appeared") return addFiles(state, event.files, now);
  if (event.type === "control_opened") return openControl(state);
  if (event.type === "control_ended") return endControl(state);
  if (isTerminal(state.record.status)) return state;
  if (event.type === "status_seen") return seeStatus(state, event.status, now);
  return observeNow(addProgress(state, "cancel_requested", toIso(now)), "event");
}

function start(state: RunState | null, params: RecorderParams, now: number): RunState {
  if (state === null) return createRunState(params, now);
  if (isUnrecorded(state.record)) return startOver(state, params);
  const record = applyStart(state.record, params);
  if (JSON.stringify(record) === JSON.stringify(state.record)) return state;
  const isOpen = record.control_due || record.connection_due || !isTerminal(record.status);
  const settled_at = isOpen ? null : record.settled_at;
  // A response that was not found exists after all.
  const verdict = record.verdict === "not_found" ? "pending" : record.verdict;
  return settle(withExpiry(withRecord(state, { ...record, settled_at, verdict }, true)));
}

/**
 * What the trigger asked for can become known after the run began. Once something is stored, its expiry stays.
 */
export function withExpiry(state: RunState): RunState {
  const { record, policy, kv } = state;
  if (kv.keys.length > 0) return state;
  const expires_at = toExpiry(record.started_at, record.retention_days, policy);
  return expires_at === record.expires_at ? state : { ...state, record: { ...record, expires_at } };
}

// Nothing was stored while the response counted as external, so the record begins again. Its webhook may have come already.
function startOver(state: RunState, params: RecorderParams): RunState {
  const { started_at, webhook } = state.record;
  // The Catalog finds the run by `started_at`.
  const begun = createRecord({ ...params, at: started_at });
  const record = { ...begun, webhook: webhook ?? params.webhook };
  const observation = { ...state.observation, ...clearAttempts(), large_bodies: 0 };
  const fresh = withRecord({ ...state, policy: params.policy, observation }, record, true);
  return observeNow(addProgress(fresh, "reopened", params.at), "event");
}

// A webhook that comes again after the end calls for nothing.
function receiveWebhook(state: RunState | null, params: RecorderParams, now: number): RunState {
  if (state === null) {
    return observeNow(addProgress(createRunState(params, now), "webhook", params.at), "event");
  }
  const { webhook } = params;
  if (webhook === null || state.record.excluded) return state;
  if (isTerminal(state.record.status)) {
    const record = applyWebhook(state.record, webhook);
    return withRecord(state, record, false);
  }
  const known = withRecord(state, applyWebhook(state.record, webhook), false);
  return observeNow(reopen(addProgress(known, "webhook", params.at), params.at), "event");
}

function refetch(state: RunState | null, params: RecorderParams, now: number): RunState {
  const at = toIso(now);
  if (state === null) {
    const begun = addProgress(createRunState(params, now), "refetch_requested", at);
    return observeNow(begun, "requested");
  }
  if (isUnrecorded(state.record)) return observeNow(startOver(state, params), "requested");
  const { record } = state;
  const asked = addProgress(state, "refetch_requested", at);
  // An external response that somebody asks for by hand is recorded.
  const policy = { ...state.policy, record_external: true };
  const readable = { ...asked, policy, record: { ...record, unreadable: false } };
  return observeNow(isTerminal(record.status) ? readable : reopen(readable, at), "requested");
}

// A row that is on its way may be lost as well.
function relist(state: RunState): RunState {
  const running = state.running?.type === "list" ? null : state.running;
  const catalog = { ...state.catalog, ...clearAttempts(), listed_revision: null, due_ms: null };
  return { ...state, running, catalog };
}

function seeStatus(state: RunState, status: string, now: number): RunState {
  const { record } = state;
  if (record.status === status || isTerminal(status)) return state;
  const status_at = toIso(now);
  const seen = withRecord(state, { ...record, status, status_at }, true);
  return addProgress(seen, "status_seen", status_at);
}

// The Connection may be heard of for the first time, or after it was given up.
function endConnection(state: RunState | null, params: RecorderParams, now: number): RunState {
  const at = toIso(now);
  const begun = state === null ? createRunState(params, now) : start(state, params, now);
  if (!awaitsConnection(begun)) return state ?? begun;
  const record = { ...begun.record, connection_due: true, settled_at: null };
  const observation = { ...begun.observation, connection: true };
  const ended = addProgress({ ...begun, record, observation }, "connection_ended", at);
  // Whether a refetch has the outputs as well is the first question to a background run.
  const isFollowed = record.connection?.kind === "followed";
  const isOpen = !isTerminal(record.status) && !record.unreadable;
  return isFollowed && isOpen ? observeNow(ended, "event") : ended;
}

/** Whether the end of the run's Connection is news. */
export function awaitsConnection({ record }: RunState): boolean {
  // What the Recorder ran out of memory on is not read again and again.
  const isLeft = record.held?.broke_at === BREAK_UNKNOWN && !record.unreadable;
  return record.connection_due || isLeft;
}

/** Whether the end of the control's Connection is news. */
export function awaitsControl({ record }: RunState): boolean {
  if (record.control_connection === null || isUnrecorded(record)) return false;
  return record.control_due || record.control?.status === "not_run";
}

// It was opened late, when it counted as not run already.
function openControl(state: RunState): RunState {
  const { record } = state;
  if (!awaitsControl(state) || (record.control_opened && record.control_due)) return state;
  const open = { ...record, control: null, control_due: true, control_opened: true };
  return withRecord(state, { ...open, settled_at: null }, record.control !== null);
}

function endControl(state: RunState): RunState {
  if (!awaitsControl(state)) return state;
  const open = openControl(state);
  const record = { ...open.record, settled_at: null };
  return { ...open, record, observation: { ...open.observation, control: true } };
}
