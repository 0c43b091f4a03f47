// When a reader should ask again. Pure.
import { nextObservationMs } from "../machine/run-work.ts";
import type { RunState } from "../state.ts";

/** While a webhook, or the end of a Connection, can bring news at any moment. */
const MAX_SECONDS_BEFORE_NEWS = 5;

/** Seconds until the run's next observation; null when none is planned. */
export function retryAfterSeconds(state: RunState, nowMs: number): number | null {
  const dueMs = nextObservationMs(state);
  if (dueMs === null) return null;
  const seconds = Math.max(1, Math.ceil((dueMs - nowMs) / 1000));
  const { verdict, connection_due, control_due } = state.record;
  const isNewsPossible = verdict === "pending" || connection_due || control_due;
  return isNewsPossible ? Math.min(seconds, MAX_SECONDS_BEFORE_NEWS) : seconds;
}
