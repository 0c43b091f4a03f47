// The next observation of a run that has ended, for its readers. Pure.
import { plannedRefetchesMs } from "../schedule.ts";
import type { RunState } from "../state.ts";
import { runObservations } from "./observations.ts";

/** When it is due, in ISO 8601; which observation of the run it is, from 1; and how many there are if all show the same. */
export type NextCheck = { at: string; number: number; total: number };

/** The next refetch of a run whose verdict is known; null when none is planned. */
export function nextCheck({ record, policy, observation }: RunState): NextCheck | null {
  if (record.verdict === "pending" || record.connection_due || record.unreadable) return null;
  const planned = plannedRefetchesMs(record, policy);
  const [nextMs] = planned;
  if (nextMs === undefined) return null;
  const done = runObservations(record).length;
  const at = new Date(Math.max(nextMs, observation.not_before_ms)).toISOString();
  return { at, number: done + 1, total: done + planned.length };
}
