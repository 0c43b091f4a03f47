// What the page of the list says of all its pages: how many runs there are, by verdict, and of which models.
import * as z from "zod";
import { toRareVerdictsQuery, toVerdictsQuery, type RunFilter } from "./filter.ts";
import type { Overview, VerdictCount } from "./row.ts";
import { INDEXED_VERDICTS } from "./tables.ts";

/** Runs that are counted, the newest first. Each is a row read, of which the free plan has 5 million a day. */
export const MAX_COUNTED = 10_000;
/** The newest runs, whose models are offered. */
const MAX_MODEL_ROWS = 1_000;

const CountRow = z.object({ verdict: z.string(), count: z.number() });
const ScannedRow = z.union([
  CountRow.extend({ position: z.null() }),
  z.object({ position: z.number() }),
]);
const ModelRow = z.object({ model: z.string() });

/**
 * Counts the runs that a filter lets through, and finds the positions of a page among them.
 * @param before Only positions before this one; null for the newest.
 * @param limit Positions at most.
 * @returns When there are more runs than are counted, the page can have more positions, too.
 */
export function readOverview(
  sql: SqlStorage,
  filter: RunFilter,
  before: number | null,
  limit: number,
  nowMs: number,
): { overview: Overview; positions: number[] } {
  const { counts, positions } = scan(sql, filter, before, limit, nowMs);
  const counted = sum(counts);
  const hasMore = counted > MAX_COUNTED;
  const verdicts = counts.map((count) => ({ ...count, isAtLeast: hasMore }));
  const rare = hasMore ? countRareVerdicts(sql, filter, nowMs) : [];
  const byVerdict = new Map([...verdicts, ...rare].map((count) => [count.verdict, count]));
  const overview = {
    counted,
    hasMore,
    verdicts: [...byVerdict.values()],
    models: listModels(sql),
  };
  return { overview, positions };
}

type Count = z.infer<typeof CountRow>;

function scan(
  sql: SqlStorage,
  filter: RunFilter,
  before: number | null,
  limit: number,
  nowMs: number,
): { counts: Count[]; positions: number[] } {
  const found = toVerdictsQuery(filter, MAX_COUNTED + 1, nowMs);
  const rows = sql
    .exec(
      `WITH found AS MATERIALIZED (${found.sql})
       SELECT verdict, count(*) AS count, NULL AS position FROM found GROUP BY verdict
       UNION ALL SELECT * FROM (
         SELECT NULL, NULL, position FROM found WHERE verdict = coalesce(?, verdict) AND position < coalesce(?, position + 1)
         ORDER BY position DESC LIMIT ?)`,
      ...found.values,
      filter.verdict ?? null,
      before,
      limit,
    )
    .toArray()
    .map((row) => ScannedRow.parse(row));
  const counts = rows.flatMap((row) => (row.position === null ? [row] : []));
  const positions = rows.flatMap((row) => (row.position === null ? [] : [row.position]));
  return { counts, positions };
}

// Those that people look for are rare, and so they can be counted by their index. A search reads another one.
function countRareVerdicts(sql: SqlStorage, filter: RunFilter, nowMs: number): VerdictCount[] {
  if (filter.q !== undefined) return [];
  const found = toRareVerdictsQuery(filter, MAX_COUNTED + 1, nowMs);
  const counts = sql
    .exec(`SELECT verdict, count(*) AS count FROM (${found.sql}) GROUP BY verdict`, ...found.values)
    .toArray()
    .map((row) => CountRow.parse(row));
  const isAtLeast = sum(counts) > MAX_COUNTED;
  const none = INDEXED_VERDICTS.map((verdict) => ({ verdict, count: 0 }));
  return [...none, ...counts].map((count) => ({ ...count, isAtLeast }));
}

function sum(counts: Count[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

function listModels(sql: SqlStorage): string[] {
  return sql
    .exec(
      "SELECT DISTINCT model FROM (SELECT model FROM runs ORDER BY position DESC LIMIT ?) WHERE model IS NOT NULL ORDER BY model",
      MAX_MODEL_ROWS,
    )
    .toArray()
    .map((row) => ModelRow.parse(row).model);
}
