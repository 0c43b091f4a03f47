// Changes of a run's state that several events have in common. Pure.
import { createRecord, isTerminal } from "../reducer.ts";
import { markSettled } from "../schedule.ts";
import type { Channel, RecorderParams, StoredRecord } from "../schema.ts";
import {
  STATE_VERSION,
  type GoneState,
  type ProgressEntry,
  type Running,
  type RunState,
} from "../state.ts";

/** Entries of progress that are kept: the last ones. */
const MAX_PROGRESS = 200;
const MAX_RETRY_MS = 300_000;
const FIRST_RETRY_MS = 1_000;

const NO_ATTEMPTS = { attempts: 0, not_before_ms: 0 };

/** Attempts in a row that came to nothing. */
export type Attempts = typeof NO_ATTEMPTS;

/** The state of a run that begins. */
export function createRunState(params: RecorderParams, now: number): RunState {
  const state: RunState = {
    version: STATE_VERSION,
    kind: "run",
    record: createRecord(params),
    policy: params.policy,
    // A later life of the same id must not have lower numbers: the Catalog ignores those.
    revision: now,
    turn: 0,
    running: null,
    unsaved: false,
    alarm_at_ms: null,
    observation: { ...NO_ATTEMPTS, now: null, connection: false, control: false, large_bodies: 0 },
    kv: { ...NO_ATTEMPTS, record_revision: null, body_digest: null, keys: [] },
    rows: { body_digest: null, outputs: [], unstored_outputs: [], drop_at_ms: null },
    files: {
      ...NO_ATTEMPTS,
      searched: [],
      queue: [],
      done: [],
      empty: [],
      failed: [],
    },
    catalog: { ...NO_ATTEMPTS, version: null, listed_revision: null, due_ms: null },
    notification: null,
    status_check_ms: 0,
    progress: [],
  };
  return addProgress(state, "started", params.at);
}

/** The state with a new record, which is stored and listed again when it has changed. */
export function withRecord(state: RunState, record: StoredRecord, hasChanged: boolean): RunState {
  if (record === state.record) return state;
  const settled = state.record.settled_at === null && record.settled_at !== null;
  const next = { ...state, record, revision: state.revision + (hasChanged ? 1 : 0) };
  return settled ? addProgress(next, "settled", record.settled_at ?? "") : next;
}

/** Adds an entry for those who follow the run. */
export function addProgress(
  state: RunState,
  type: ProgressEntry["type"],
  at: string,
  channel: Channel | null = null,
): RunState {
  const seq = (state.progress.at(-1)?.seq ?? 0) + 1;
  return {
    ...state,
    progress: [...state.progress, { seq, at, type, channel }].slice(-MAX_PROGRESS),
  };
}

/**
 * Plans an observation now.
 * @param reason A requested observation follows even when another sees the end first.
 */
export function observeNow(state: RunState, reason: "event" | "requested"): RunState {
  const { observation } = state;
  const now = observation.now === "requested" ? observation.now : reason;
  return { ...state, observation: { ...observation, now } };
}

/** A run that was given up without its end is observed again. Whether it exists is open again, too. */
export function reopen(state: RunState, at: string): RunState {
  const { record } = state;
  if (record.settled_at === null) return state;
  const verdict = record.verdict === "not_found" ? "pending" : record.verdict;
  const open = { ...record, verdict, settled_at: null };
  return addProgress({ ...state, record: open }, "reopened", at);
}

/** Settles a run for which nothing is planned, unless an event calls for an observation. */
export function settle(state: RunState): RunState {
  const { observation, policy, record } = state;
  if (observation.now === "event" && !isTerminal(record.status)) return state;
  if (observation.connection || observation.control) return state;
  const after = markSettled(record, policy);
  return withRecord(state, after, after.verdict !== "pending");
}

/** The event's outputs are added to the object's rows, to be stored in KV. */
export function keepOutputs(state: RunState, channel: Channel): RunState {
  const { rows } = state;
  const outputs = [...new Set([...rows.outputs, channel])];
  const unstored_outputs = [...new Set([...rows.unstored_outputs, channel])];
  return { ...state, rows: { ...rows, outputs, unstored_outputs, drop_at_ms: null } };
}

/** What remains of a run that is deleted or has expired. */
export function toGoneState(state: RunState, kind: GoneState["kind"], now: number): GoneState {
  return {
    version: STATE_VERSION,
    kind,
    id: state.record.id,
    started_at: state.record.started_at,
    limits: state.policy.limits,
    // The effect under way goes on without its result: the second erasure removes what it still writes.
    turn: state.turn + 1,
    running: null,
    unsaved: state.unsaved,
    alarm_at_ms: state.alarm_at_ms,
    gone_at_ms: now,
    keys: state.kv.keys,
    connections: listConnections(state.record),
    erased: 0,
    // Even where no upsert is known: one may have been sent whose beginning was not stored.
    catalog_version: state.catalog.version ?? 0,
    ...NO_ATTEMPTS,
  };
}

// Also of those that should have removed themselves: an alarm can be lost.
function listConnections({ connection, control_connection }: StoredRecord): string[] {
  return [connection?.id ?? null, control_connection].filter((id) => id !== null);
}

/**
 * Counts an attempt that came to nothing. An effect that died is done again at once the first time.
 * @param running The attempt. The pause after a death counts from its beginning: an object that is created again and again must not put it off each time.
 * @param maxDelayMs The longest pause.
 */
export function countAttempt(
  before: Attempts,
  running: Running,
  died: boolean,
  now: number,
  maxDelayMs = MAX_RETRY_MS,
): Attempts {
  const attempts = before.attempts + 1;
  const waits = died ? attempts - 2 : attempts - 1;
  const delay = waits < 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** waits, maxDelayMs);
  return { attempts, not_before_ms: (died ? running.began_ms : now) + delay };
}

/** No attempt failed. */
export function clearAttempts(): Attempts {
  return NO_ATTEMPTS;
}

/** A moment in ISO 8601. */
export function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
