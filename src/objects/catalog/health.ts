// What the Catalog knows of the recorder's health: the statements behind it.
import * as z from "zod";
import { toStartedAtMs } from "./position.ts";

/** The newest runs whose webhooks are looked at. More would be a scan, and an index of webhooks would cost a row for each run. */
export const MAX_RECENT_RUNS = 200;

/** A run of the newest. */
export const RecentRun = z.object({
  id: z.string(),
  held: z.number().transform(Boolean),
  started_by: z.string(),
  completed_at: z.string().nullable(),
  /** When its webhook came, in milliseconds since 1970. */
  webhook_at: z.number().nullable(),
});
export type RecentRun = z.infer<typeof RecentRun>;

/** The moments are in milliseconds since 1970. */
export type CatalogHealth = {
  oldestPending: { id: string; startedAtMs: number } | null;
  /** Newest first. */
  recent: RecentRun[];
  /** Runs whose end could not be reported to NOTIFY_URL and will be reported again. */
  failingNotifications: { count: number; newest: string | null };
};

const PendingRow = z.object({ position: z.number(), id: z.string() });
const FailingRow = z.object({ count: z.number(), newest: z.string().nullable() });

// Each reads the index of runs with work left, or a fixed number of rows.
const OLDEST_PENDING = `SELECT position, id FROM runs INDEXED BY by_due
  WHERE due_at IS NOT NULL AND verdict = 'pending' AND expires_at > ? ORDER BY position LIMIT 1`;
const RECENT = `SELECT id, held, started_by, completed_at, webhook_at FROM runs
  WHERE removed = 0 AND created_at IS NOT NULL AND expires_at > ? ORDER BY position DESC LIMIT ${MAX_RECENT_RUNS}`;
// Of the other columns beside max() SQLite takes those of the row that has it. https://sqlite.org/lang_select.html#bareagg
const FAILING = `SELECT count(*) AS count, id AS newest, max(position) FROM runs INDEXED BY by_due
  WHERE due_at IS NOT NULL AND notification_failed = 1 AND expires_at > ?`;

/** Reads it. */
export function readHealth(sql: SqlStorage, nowMs: number): CatalogHealth {
  const oldest = PendingRow.safeParse(sql.exec(OLDEST_PENDING, nowMs).toArray()[0]).data;
  return {
    oldestPending:
      oldest === undefined ? null : { id: oldest.id, startedAtMs: toStartedAtMs(oldest.position) },
    // A row that another version wrote is left out.
    recent: sql
      .exec(RECENT, nowMs)
      .toArray()
      .flatMap((row) => RecentRun.safeParse(row).data ?? []),
    failingNotifications: FailingRow.parse(sql.exec(FAILING, nowMs).one()),
  };
}
