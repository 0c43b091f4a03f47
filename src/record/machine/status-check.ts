// Asks OpenAI for the status of a run in flight while a reader waits for its end. Pure.
import { findAbsence } from "../observed/absence.ts";
import { lastObservedMs } from "../observed/observations.ts";
import { isTerminal } from "../reducer.ts";
import type { ObservationResult, StoredRecord } from "../schema.ts";
import { isKnown, type Running, type RunState, type State } from "../state.ts";
import { begin, type Begun } from "./begin-effect.ts";
import { addProgress, withRecord } from "./run-state.ts";
import { nextObservationMs } from "./run-work.ts";

/** After an answer that refused the key, or for want of money, milliseconds until the next check. */
const REFUSED_PAUSE_MS = 300_000;

/**
 * When the status may be asked for, in milliseconds since 1970. The moment can be in the past.
 * @returns Null where no check is due: nothing is in flight, the run's Connection shows its status, or an observation comes first.
 */
export function statusCheckMs(state: State | null): number | null {
  if (!isKnown(state) || state.running !== null || !isInFlight(state.record)) return null;
  const pauseMs = toPauseMs(state);
  const dueMs = Math.max(lastObservedMs(state.record) + pauseMs, state.status_check_ms);
  const plannedMs = nextObservationMs(state);
  return plannedMs === null || plannedMs < dueMs + pauseMs ? null : dueMs;
}

function isInFlight(record: StoredRecord): boolean {
  const isOpen = record.verdict === "pending" && !isTerminal(record.status);
  return isOpen && !record.connection_due && !record.refused && !record.unreadable;
}

function toPauseMs({ policy }: RunState): number {
  return policy.limits.status_check_seconds * 1000;
}

/** Begins a check that is due. */
export function beginStatusCheck(state: State, now: number): Begun | null {
  const dueMs = statusCheckMs(state);
  if (state.kind !== "run" || dueMs === null || dueMs > now) return null;
  const { record } = state;
  const target = { channel: "refetch" as const, connection: null };
  const effect = { type: "observe" as const, ...target, record, checksBody: false };
  return begin(state, now, "observe", { channel: target.channel, is_status_check: true }, effect);
}

/** Whether a check counts as an observation like any other: it saw the end, or the response after a 404. */
export function isObservation(record: StoredRecord, { fields }: ObservationResult): boolean {
  return fields !== null && (isTerminal(fields.status) || findAbsence(record) !== null);
}

/** The state after a check that saw no end: of it only the status is kept. */
export function afterStatusCheck(
  state: RunState,
  running: Running,
  result: ObservationResult,
  now: number,
): RunState {
  const { status, at } = result.observation;
  const checked = pauseStatusChecks(state, running, now + toRefusedMs(result));
  if (status === null) return checked;
  const { record } = state;
  const isNew = status !== record.status;
  const seen = withRecord(checked, { ...record, status, status_at: at }, isNew);
  return isNew ? addProgress(seen, "status_seen", at) : seen;
}

function toRefusedMs({ refused, retry_after_seconds }: ObservationResult): number {
  return refused ? REFUSED_PAUSE_MS : (retry_after_seconds ?? 0) * 1000;
}

/** The state after a check: another follows at this moment, or after the usual pause. */
export function pauseStatusChecks(
  state: RunState,
  { began_ms }: Running,
  earliestMs: number,
): RunState {
  return { ...state, status_check_ms: Math.max(began_ms + toPauseMs(state), earliestMs) };
}
