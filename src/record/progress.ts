// What those who follow a run get of it. Pure.
import type { Observation, StoredRecord } from "./schema.ts";
import { isSettled, type ProgressEntry, type RunState } from "./state.ts";

/** An entry of a run's progress, with what is needed to describe it. */
export type ProgressUpdate = ProgressEntry & {
  /** What an observation, or a control, showed. */
  observation: Observation | null;
  /** Of the end of a held connection: the event at which it broke. */
  broke_at: string | null;
  /** Whether a connection was held for the run when this happened. */
  held: boolean;
  /** Which observation of the run it is, from 1; null when it is none. */
  number: number | null;
};

/**
 * The updates after an entry.
 * @param after The `seq` of the last entry that the reader has; 0 for all.
 */
export function toProgressUpdates(state: RunState, after: number): ProgressUpdate[] {
  const { progress, record } = state;
  const closedAt = progress.find(({ type, channel }) => type === "observed" && channel === "held");
  let number = 0;
  const updates = progress.map((entry): ProgressUpdate => {
    if (entry.type === "observing") number += 1;
    const isObservation = entry.type === "observing" || entry.type === "observed";
    return {
      ...entry,
      observation: findObservation(record, entry),
      broke_at: entry.channel === "held" ? (record.held?.broke_at ?? null) : null,
      held: record.held !== null && (closedAt === undefined || entry.seq < closedAt.seq),
      number: isObservation ? number : null,
    };
  });
  return updates.filter(({ seq }) => seq > after);
}

function findObservation(record: StoredRecord, { type, channel, at }: ProgressEntry): Observation | null {
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
