// The settings and limits of a run, fixed when it begins.
import * as z from "zod";

const DAY_SECONDS = 24 * 60 * 60;

/** Limits of a run, in seconds. They are settings of no deployment; tests shorten them. */
export const Limits = z.object({
  /** A run whose end was not seen by then is abandoned. */
  abandon_after_seconds: z.number(),
  /** A response that was never seen counts as not found after this long of 404. */
  not_found_after_seconds: z.number(),
  /** A response that was seen counts as gone after this long of 404, and after this long when a webhook, or a break of its Connection, came before. */
  gone_after_seconds: z.number(),
  gone_after_signal_seconds: z.number(),
  /** After a webhook for a response that has our metadata, the time that its trigger's hand-over has. */
  trigger_grace_seconds: z.number(),
  /** While a Connection reads the run's stream the response is refetched this often, because its report may be lost. */
  poll_while_connected_seconds: z.number(),
  /** When the response is known to have ended, the time that its Connection has to report. */
  connection_report_seconds: z.number(),
  /** A control whose Connection has not announced itself by then is asked for: its Worker may have died before it was opened. */
  control_open_seconds: z.number(),
  /** A control that has not ended by then is closed. */
  control_timeout_seconds: z.number(),
  /** While a reader waits for the end of a run without a Connection, its status is asked for this often at most. */
  status_check_seconds: z.number().default(10),
  /** How long a Connection keeps its events after its end. */
  keep_events_seconds: z.number(),
  /** How long the object keeps bytes that KV has taken: KV can show an older value for a minute. */
  keep_rows_seconds: z.number(),
  /** How long an external response without a record is remembered, so that a late trigger is observed at once. */
  keep_unrecorded_seconds: z.number(),
  /** The second erasure of a deleted run comes this long after the first. */
  erase_again_seconds: z.number(),
  /** How long a deleted run is remembered: OpenAI sends a webhook again for 72 hours. */
  keep_deleted_seconds: z.number(),
});
export type Limits = z.infer<typeof Limits>;

export const DEFAULT_LIMITS: Limits = {
  abandon_after_seconds: 24 * 60 * 60,
  not_found_after_seconds: 60,
  gone_after_seconds: 10 * 60,
  gone_after_signal_seconds: 2 * 60,
  trigger_grace_seconds: 10,
  poll_while_connected_seconds: 300,
  connection_report_seconds: 60,
  control_open_seconds: 60,
  control_timeout_seconds: 24 * 60 * 60,
  status_check_seconds: 10,
  keep_events_seconds: 24 * 60 * 60,
  keep_rows_seconds: 5 * 60,
  keep_unrecorded_seconds: 10 * 60,
  erase_again_seconds: 5 * 60,
  keep_deleted_seconds: 72 * 60 * 60,
};

/** The settings that a run needs. They are fixed when it begins, so that a deploy changes no run in flight. */
export const Policy = z.object({
  /** Seconds to wait for the webhook before the first refetch. */
  deadline_seconds: z.number(),
  /** Seconds between observations while a call is suspect; the first counts from the response's end. */
  delays_seconds: z.array(z.number()),
  /** Whether external responses are recorded. */
  record_external: z.boolean(),
  /** How long a record is kept that no trigger gave another retention. */
  retention_seconds: z.number(),
  limits: Limits,
  /** The run's end is reported to NOTIFY_URL. Absent: it is not. */
  notify: z
    .object({
      /** The Worker's own origin, for links to the record. */
      origin: z.string(),
    })
    .optional(),
});
export type Policy = z.infer<typeof Policy>;

/**
 * When a record expires.
 * @param startedAt ISO 8601.
 * @param retentionDays What the trigger asked for; null for the policy's.
 */
export function toExpiry(startedAt: string, retentionDays: number | null, policy: Policy): string {
  const seconds = retentionDays === null ? policy.retention_seconds : retentionDays * DAY_SECONDS;
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
}
