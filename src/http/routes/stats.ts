// Counts the runs of the last days.
import type { Context } from "hono";
import { toStats, type Stats } from "../../api/answers/stats.ts";
import { parseQuery, StatsQuery } from "../../api/queries.ts";
import { readRunStats } from "../../objects/catalog/client.ts";
import type { App } from "../middleware/auth.ts";

/**
 * The statistics of the last days.
 * @throws Problem 400 for a query that can't be used.
 */
export async function readStats(c: Context<App>): Promise<Stats> {
  const { days } = parseQuery(StatsQuery, c.req.query());
  const nowMs = Date.now();
  return toStats(await readRunStats(c.env, days, nowMs), days, nowMs);
}
