// What those who follow a run get of it. Pure.
import * as z from "zod";
import { connectionChannel, runObservations } from "./observed/observations.ts";
import { nextAction } from "./schedule.ts";
import { Observation, RunConnection, RunVerdict, type StoredRecord } from "./schema.ts";
import { isSettled, ProgressEntry, type RunState } from "./state.ts";

/** An entry of a run's progress, with what is needed to describe it. */
export const ProgressUpdate = ProgressEntry.extend({
  /** What an observation, or a control, showed. */
  observation: Observation.nullable(),
  /** Of the end of a held run's Connection: the event at which it broke. */
  broke_at: z.string().nullable(),
  /** The kind of the run's Connection, until it was read; null after that, and for a run without one. */
  connection: RunConnection.shape.kind.nullable(),
  /** Which observation of the run it is, from 1; null when it is none. */
  number: z.number().nullable(),
  /** The run's when the update was sent. An object that a deploy has not reached does not say them. */
  status: z.string().nullable().default(null),
  verdict: RunVerdict.nullable().default(null),
  /** Of the last update, when nothing is under way: what the Recorder waits for. */
  waits_for: z.enum(["webhook", "connection", "observation", "control"]).nullable(),
});
export type ProgressUpdate = z.infer<typeof ProgressUpdate>;

/**
 * The updates after an entry.
 * @param after The `seq` of the last entry that the reader has; 0 for all.
 */
export function toProgressUpdates(state: RunState, after: number): ProgressUpdate[] {
  const { progress, record } = state;
  const readSeq = findReadSeq(state);
  const updates = progress.map((entry, index): ProgressUpdate => ({
    ...entry,
    observation: findObservation(record, entry),
    broke_at: entry.channel === "held" ? (record.held?.broke_at ?? null) : null,
    connection: entry.seq <= readSeq ? (record.connection?.kind ?? null) : null,
    number: findNumber(state, index),
    status: record.status,
    verdict: record.verdict,
    waits_for: entry === progress.at(-1) ? toAwaited(state) : null,
  }));
  return updates.filter(({ seq }) => seq > after);
}

// The first reading of the run's Connection. Only the last entries are kept, so it can be older than all of them.
function findReadSeq({ progress, record }: RunState): number {
  const channel = connectionChannel(record);
  const read = progress.find((entry) => entry.type === "observed" && entry.channel === channel);
  return read?.seq ?? (record.connection_due ? Number.POSITIVE_INFINITY : 0);
}

function toAwaited(state: RunState): ProgressUpdate["waits_for"] {
  const { record, policy, running } = state;
  const isObserving = running?.type === "observe" && !running.is_status_check;
  if (isObserving || running?.type === "find_files" || isAtRest(state)) return null;
  if (record.connection_due) return "connection";
  const action = nextAction(record, policy);
  if (action.type !== "observe") return null;
  if (action.channel === "control") return "control";
  return record.observations.length === 0 && record.webhook === null ? "webhook" : "observation";
}

// The record counts. An observation that failed has the number of the one that is made in its place.
function findNumber({ progress, record }: RunState, index: number): number | null {
  const type = progress[index]?.type;
  if (type !== "observing" && type !== "observed") return null;
  const observations = runObservations(record);
  const observed = progress.slice(index).find((entry) => entry.type === "observed");
  if (observed === undefined) return observations.length + 1;
  const seen = findObservation(record, observed);
  return seen === null ? null : observations.indexOf(seen) + 1;
}

function findObservation(
  record: StoredRecord,
  { type, channel, at }: ProgressEntry,
): Observation | null {
  if (type === "control_ended") {
    return record.observations.findLast((seen) => seen.channel === "control") ?? null;
  }
  if (type !== "observed") return null;
  return record.observations.find((seen) => seen.channel === channel && seen.at === at) ?? null;
}

/** Whether nothing more happens to a run unless somebody asks for it: it is settled, and its files are copied. */
export function isAtRest(state: RunState): boolean {
  const { files, record } = state;
  const isSearched = record.containers.every((id) => files.searched.includes(id));
  return isSettled(state) && files.queue.length === 0 && (isSearched || record.excluded);
}
