// The Catalog's statistics: the statements behind them.
import * as z from "zod";
import { RunVerdict } from "../../record/schema.ts";
import { firstPosition } from "./position.ts";

/** A day in UTC. */
export const DAY_MS = 24 * 60 * 60 * 1000;

/** What a sum over no known value gives. */
const sum = z.number().nullable().transform((value) => value ?? 0);

/** The runs of one day with one verdict and one model. */
export const RunGroup = z.object({
  /** Days since 1970. It is the day on which the recording began. */
  day: z.number(),
  verdict: RunVerdict,
  model: z.string().nullable(),
  runs: z.number(),
  /** The runs whose tokens are known. */
  counted_runs: z.number(),
  input_tokens: sum,
  cached_tokens: sum,
  output_tokens: sum,
  reasoning_tokens: sum,
  total_tokens: sum,
});
export type RunGroup = z.infer<typeof RunGroup>;

/** Runs that could be read so many milliseconds after their end: rounded down to tenths of a second, from 10 s on to seconds, and from 100 s on to tens. */
export const ReadableGroup = z.object({ ms: z.number(), runs: z.number() });
export type ReadableGroup = z.infer<typeof ReadableGroup>;

/** What the statistics are made of. `readable` is sorted by time. */
export type CatalogStats = { groups: RunGroup[]; readable: ReadableGroup[] };

/** The runs that the list shows. */
const LISTED =
  "position >= ? AND removed = 0 AND created_at IS NOT NULL AND expires_at > ?";

const GROUPS = `SELECT position / ${firstPosition(DAY_MS)} AS day, verdict, model, count(*) AS runs,
    count(total_tokens) AS counted_runs, sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,
    sum(output_tokens) AS output_tokens, sum(reasoning_tokens) AS reasoning_tokens, sum(total_tokens) AS total_tokens
  FROM runs WHERE ${LISTED} GROUP BY 1, 2, 3`;

const READABLE = `SELECT CASE WHEN readable_ms < 10000 THEN readable_ms / 100 * 100
    WHEN readable_ms < 100000 THEN readable_ms / 1000 * 1000 ELSE readable_ms / 10000 * 10000 END AS ms, count(*) AS runs
  FROM runs WHERE ${LISTED} AND readable_ms IS NOT NULL GROUP BY 1 ORDER BY 1`;

/**
 * Counts the runs whose recording began at a time or later. Each statement reads all of them.
 * A row whose verdict another version wrote is left out.
 */
export function readStats(sql: SqlStorage, sinceMs: number, nowMs: number): CatalogStats {
  const since = firstPosition(sinceMs);
  const groups = sql.exec(GROUPS, since, nowMs).toArray();
  const readable = sql.exec(READABLE, since, nowMs).toArray();
  return {
    groups: groups.flatMap((row) => RunGroup.safeParse(row).data ?? []),
    readable: readable.map((row) => ReadableGroup.parse(row)),
  };
}
