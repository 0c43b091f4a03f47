// The Catalog's statistics: the statements behind them.
import { percentile } from "../../lib/percentile.ts";
import { GroupRow, type CatalogStats, type RunGroup } from "./groups.ts";
import { firstPosition } from "./position.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

// The runs that the list shows. A day at a time: SQLite sorts what it groups, and small parts are sorted faster.
// The times come as one text, because a second statement would read, and bill, each row again.
const GROUPS_OF_DAY = `SELECT verdict, model, count(*) AS runs, count(total_tokens) AS counted,
    sum(input_tokens) AS input, sum(cached_tokens) AS cached, sum(output_tokens) AS output,
    sum(reasoning_tokens) AS reasoning, sum(total_tokens) AS total, group_concat(readable_ms) AS times
  FROM runs WHERE position >= ? AND position < ? AND removed = 0 AND created_at IS NOT NULL AND expires_at > ?
  GROUP BY verdict, model`;

/**
 * Counts the runs whose recording began on one of the last days.
 * @param days How many, the day of `nowMs` included.
 */
export function readStats(sql: SqlStorage, days: number, nowMs: number): CatalogStats {
  const today = Math.floor(nowMs / DAY_MS);
  const groups: RunGroup[] = [];
  const times: string[] = [];
  for (let day = today - days + 1; day <= today; day += 1) {
    const range = [firstPosition(day * DAY_MS), firstPosition((day + 1) * DAY_MS)];
    for (const row of sql.exec(GROUPS_OF_DAY, ...range, nowMs)) {
      // A verdict that another version wrote is left out, as in the list.
      const group = GroupRow.safeParse(row).data;
      if (group === undefined) continue;
      groups.push({ ...group, day: new Date(day * DAY_MS).toISOString().slice(0, 10) });
      if (typeof row["times"] === "string") times.push(row["times"]);
    }
  }
  return { groups, readable: toReadable(times) };
}

function toReadable(times: string[]): CatalogStats["readable"] {
  const all = times.length === 0 ? [] : times.join(",").split(",");
  const sorted = Float64Array.from(all, Number).toSorted();
  return {
    runs: sorted.length,
    p50_ms: percentile(sorted, 0.5),
    p95_ms: percentile(sorted, 0.95),
  };
}
