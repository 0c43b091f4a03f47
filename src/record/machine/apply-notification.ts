// Applies an attempt to report a run's end to NOTIFY_URL. Pure.
import { isDelivered } from "../notification.ts";
import type { Running, RunState } from "../state.ts";
import { countAttempt, toIso } from "./run-state.ts";

/** For so long a receiver is tried, as OpenAI does with webhooks, and at least this often. */
const NOTIFY_MS = 72 * 60 * 60 * 1000;
const MAX_NOTIFY_DELAY_MS = 4 * 60 * 60 * 1000;

/**
 * The state after an attempt to notify. The record's copy in KV is not written again: readers ask the Recorder.
 * @param status The receiver's HTTP status; null when it did not answer.
 */
export function afterNotification(
  state: RunState,
  running: Running,
  status: number | null,
  died: boolean,
  now: number,
): RunState {
  const { notification, record, catalog } = state;
  if (notification === null) return state;
  const counted = countAttempt(notification, running, died, now, MAX_NOTIFY_DELAY_MS);
  const endMs = Math.min(notification.since_ms + NOTIFY_MS, Date.parse(record.expires_at));
  const is_over = isDelivered(status) || counted.not_before_ms >= endMs;
  const next_at = is_over ? null : toIso(counted.not_before_ms);
  // The Catalog's row is due when nothing but the expiry is left. It has to be due earlier now.
  const isFirstFailure = counted.attempts === 1 && !is_over;
  return {
    ...state,
    notification: { ...notification, ...counted, is_over },
    record: { ...record, notification: { at: toIso(running.began_ms), status, next_at } },
    catalog: isFirstFailure ? { ...catalog, due_ms: null } : catalog,
  };
}
