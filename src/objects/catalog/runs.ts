// The Catalog's runs and their search texts: the statements behind its calls.
import * as z from "zod";
import { parseJson } from "../../lib/json-parse.ts";
import { AT_POSITIONS, toListQuery, type RunFilter } from "./filter.ts";
import { readOverview } from "./overview.ts";
import { firstPosition, freePosition, toStartedAtMs } from "./position.ts";
import { CatalogRow, type CatalogEntry, type ListRow, type Overview } from "./row.ts";
import type { RunColumn } from "./tables.ts";

const HOUR_MS = 60 * 60 * 1000;
/** A tombstone outlives every upsert that was on its way. OpenAI sends webhooks again for as long. */
const TOMBSTONE_LIFETIME_MS = 72 * HOUR_MS;
/** After a poke a run is not overdue again for so long, or for half its age when that is longer. */
const MIN_POSTPONE_MS = 10 * 60 * 1000;
/** How often cron asks for overdue runs, and into how many parts it divides the table: a day's worth. */
const SWEEP_PERIOD_MS = 5 * 60 * 1000;
const SWEEP_PARTS = (24 * HOUR_MS) / SWEEP_PERIOD_MS;
/** Rows that one sweep removes at most. */
const MAX_SWEPT_ROWS = 500;

/** One page of the list. `next` is the position after which the next page begins; null on the last page. */
export type RunPage = { rows: ListRow[]; next: number | null; overview?: Overview };

/** Where a run stands, or will stand; a version of null when it has no row yet. */
export type Slot = { position: number; version: number | null; expiresAtMs: number | null };

const ListedRow = CatalogRow.extend({
  held: z.number().transform(Boolean),
  metadata: z.string().transform(parseJson),
});
const SlotRow = z.object({
  position: z.number(),
  id: z.string(),
  version: z.number(),
  expires_at: z.number(),
});
const PositionRow = z.object({ position: z.number(), id: z.string() });
const Edges = z.object({ first: z.number().nullable(), last: z.number().nullable() });

/** Finds the slot of a run among those whose recording began in the same millisecond. */
export function findSlot(sql: SqlStorage, id: string, startedAtMs: number): Slot {
  const taken = sql
    .exec(
      "SELECT position, id, version, expires_at FROM runs WHERE position >= ? AND position < ?",
      firstPosition(startedAtMs),
      firstPosition(startedAtMs + 1),
    )
    .toArray()
    .map((row) => SlotRow.parse(row));
  const found = taken.find((run) => run.id === id);
  if (found !== undefined) {
    return { position: found.position, version: found.version, expiresAtMs: found.expires_at };
  }
  const position = freePosition(
    startedAtMs,
    taken.map((run) => run.position),
  );
  return { position, version: null, expiresAtMs: null };
}

/** Writes the row of a run, and its search text when that has changed. */
export function putRun(
  sql: SqlStorage,
  position: number,
  { row, figures, reports, expiresAtMs, dueAtMs, text }: CatalogEntry,
  version: number,
): void {
  const { held, metadata, ...shown } = row;
  const usage = figures?.usage;
  const values: Record<RunColumn, SqlStorageValue> = {
    position,
    version,
    removed: 0,
    expires_at: expiresAtMs,
    due_at: row.verdict === "pending" ? (dueAtMs ?? Date.now()) : dueAtMs,
    ...shown,
    held: Number(held),
    metadata: JSON.stringify(metadata),
    readable_ms: figures?.readable_ms ?? null,
    input_tokens: usage?.input ?? null,
    cached_tokens: usage?.cached ?? null,
    output_tokens: usage?.output ?? null,
    reasoning_tokens: usage?.reasoning ?? null,
    total_tokens: usage?.total ?? null,
    webhook_at: reports?.webhook_at ?? null,
    notification_failed: Number(reports?.notification_failed ?? false),
  };
  const names = Object.keys(values);
  const places = names.map(() => "?").join(", ");
  const changes = names.map((name) => `${name} = excluded.${name}`).join(", ");
  sql.exec(
    `INSERT INTO runs (${names.join(", ")}) VALUES (${places}) ON CONFLICT (position) DO UPDATE SET ${changes}`,
    ...Object.values(values),
  );
  if (text === null) return;
  sql.exec("INSERT OR REPLACE INTO texts (rowid, text) VALUES (?, ?)", position, text);
}

/** Replaces a run by a tombstone, or writes one for a run that has no row. */
export function buryRun(
  sql: SqlStorage,
  { position, version: storedVersion }: Slot,
  id: string,
  version: number,
  nowMs: number,
): void {
  sql.exec(
    `INSERT INTO runs (position, id, version, removed, expires_at) VALUES (?, ?, ?, 1, ?)
     ON CONFLICT (position) DO UPDATE SET version = excluded.version, removed = 1, expires_at = excluded.expires_at, due_at = NULL,
       verdict = NULL, status = NULL, model = NULL, first_line = NULL, metadata = NULL`,
    position,
    id,
    version,
    nowMs + TOMBSTONE_LIFETIME_MS,
  );
  if (storedVersion !== null) sql.exec("DELETE FROM texts WHERE rowid = ?", position);
}

/** Removes the row of a run and its search text. */
export function deleteRun(sql: SqlStorage, position: number): void {
  sql.exec("DELETE FROM runs WHERE position = ?", position);
  sql.exec("DELETE FROM texts WHERE rowid = ?", position);
}

/** Reads one page of the list. */
export function readPage(
  sql: SqlStorage,
  filter: RunFilter,
  before: number | null,
  limit: number,
): RunPage {
  const query = toListQuery(filter, before, limit + 1, Date.now());
  return toPage(sql.exec(query.sql, ...query.values).toArray(), limit);
}

/** Reads one page of the list, and counts the runs of all pages. One scan finds both, where that is possible. */
export function readPageWithOverview(
  sql: SqlStorage,
  filter: RunFilter,
  before: number | null,
  limit: number,
): RunPage {
  const { overview, positions } = readOverview(sql, filter, before, limit + 1, Date.now());
  const isPageFound = !overview.hasMore || positions.length > limit;
  const page = isPageFound
    ? toPage(sql.exec(AT_POSITIONS, JSON.stringify(positions)).toArray(), limit)
    : readPage(sql, filter, before, limit);
  return { ...page, overview };
}

function toPage(found: Record<string, SqlStorageValue>[], limit: number): RunPage {
  const page = found.slice(0, limit);
  const last = PositionRow.parse(page.at(-1) ?? { position: 0, id: "" });
  return { rows: page.map(toListRow), next: found.length > limit ? last.position : null };
}

// A row of a newer version, after a rollback, does not hide the others.
function toListRow(row: Record<string, SqlStorageValue>): ListRow {
  const listed = ListedRow.safeParse(row).data;
  const known = CatalogRow.safeParse(listed).data;
  if (known !== undefined) return known;
  const { id } = PositionRow.parse(row);
  const message = `The row of this run can't be read: another version of the recorder wrote it. GET /results/${id} has the record.`;
  return { id, error: { code: "not_stored", message } };
}

/**
 * Takes the runs that should have reported, the longest overdue first, and postpones them.
 * Otherwise the same ones, which are well and merely long, would come first each time.
 * @returns Ids.
 */
export function takeOverdue(sql: SqlStorage, limit: number, nowMs: number): string[] {
  const runs = sql
    .exec(
      "SELECT position, id FROM runs WHERE due_at <= ? AND expires_at > ? ORDER BY due_at LIMIT ?",
      nowMs,
      nowMs,
      limit,
    )
    .toArray()
    .map((row) => PositionRow.parse(row));
  for (const { position } of runs) {
    const ageMs = nowMs - toStartedAtMs(position);
    const dueAtMs = nowMs + Math.max(MIN_POSTPONE_MS, Math.floor(ageMs / 2));
    sql.exec("UPDATE runs SET due_at = ? WHERE position = ?", dueAtMs, position);
  }
  return runs.map(({ id }) => id);
}

/**
 * Removes what has expired in one part of the table; a day's calls go through all of it.
 * An index of expiries would cost a written row for each run, and each row is read once a day in this way.
 */
export function sweepRuns(sql: SqlStorage, nowMs: number): void {
  const { first, last } = Edges.parse(
    sql
      .exec(
        "SELECT (SELECT min(position) FROM runs) AS first, (SELECT max(position) FROM runs) AS last",
      )
      .one(),
  );
  if (first === null || last === null) return;
  const width = Math.ceil((last - first + 1) / SWEEP_PARTS);
  const from = first + width * (Math.floor(nowMs / SWEEP_PERIOD_MS) % SWEEP_PARTS);
  const expired = sql
    .exec(
      "SELECT position, id FROM runs WHERE position >= ? AND position < ? AND expires_at <= ? LIMIT ?",
      from,
      from + width,
      nowMs,
      MAX_SWEPT_ROWS,
    )
    .toArray()
    .map((row) => PositionRow.parse(row));
  for (const { position } of expired) deleteRun(sql, position);
}
