// The report of a run's end to NOTIFY_URL: whether there is one, and what it says. Pure.
import { isTerminal } from "./reducer.ts";
import { isStorable } from "./schedule.ts";
import type { StoredRecord } from "./schema.ts";

/** The type of an event, by the response's last status, or by the verdict of a run whose end was not seen. A run without one is not reported. */
const EVENT_TYPES: ReadonlyMap<string, string> = new Map([
  ["completed", "response.completed"],
  ["failed", "response.failed"],
  ["incomplete", "response.incomplete"],
  ["cancelled", "response.cancelled"],
  ["gone", "response.failed"],
  ["abandoned", "response.failed"],
]);

/** An event in the shape of OpenAI's webhooks, without its id. */
export type NotificationEvent = {
  type: string;
  /** Seconds since 1970. */
  created_at: number;
  data: {
    id: string;
    verdict: StoredRecord["verdict"];
    /** The record's URL. */
    result_url: string;
    metadata: StoredRecord["metadata"];
  };
};

/**
 * The type of the event that reports a run's end.
 * @returns Null while its end can't be read, and for a run that is not reported. What a Connection brought counts as in flight until it was read.
 */
export function notificationType(record: StoredRecord): string | null {
  if (!isStorable(record) || record.connection_due) return null;
  const end = isTerminal(record.status) ? (record.status ?? "") : record.verdict;
  return EVENT_TYPES.get(end) ?? null;
}

/**
 * The event that reports a run's end, as the record is now.
 * @param origin The Worker's own.
 * @param sinceMs When the first attempt began, in milliseconds since 1970.
 */
export function toNotificationEvent(
  { id, verdict, metadata }: StoredRecord,
  type: string,
  origin: string,
  sinceMs: number,
): NotificationEvent {
  const result_url = new URL(`/results/${id}`, origin).href;
  const created_at = Math.floor(sinceMs / 1000);
  return { type, created_at, data: { id, verdict, result_url, metadata } };
}

/** Whether a receiver's status says that it has the event. */
export function isDelivered(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}
