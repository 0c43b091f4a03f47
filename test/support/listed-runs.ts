// Runs of every kind for the tests of the list, and its filters.
import type { CatalogRow } from "../../src/objects/catalog/row.ts";
import { createEntry, type CatalogClient } from "./catalog.ts";

/** When the newest of the listed runs began; each is a second older than the one before. */
export const LISTED_AT_MS = Date.parse("2026-11-20T12:00:00.000Z");
const VERDICTS = ["captured", "lost", "silent", "suspect", "pending", "no_calls"] as const;
const STATUSES = ["completed", "failed", "incomplete"] as const;
const STARTERS = ["trigger", "v1", "webhook", "refetch"] as const;
const COUNT = 120;

export type ListedRun = CatalogRow & { startedAtMs: number; text: string };

/** Runs of every verdict, status and starter, newest first. */
export const RUNS: ListedRun[] = Array.from({ length: COUNT }, (_, n) => ({
  id: `resp_run${String(n).padStart(3, "0")}`,
  verdict: VERDICTS[n % VERDICTS.length] ?? "captured",
  status: STATUSES[n % STATUSES.length] ?? "completed",
  model: n % 4 === 0 ? "gpt-a" : "gpt-b",
  created_at: new Date(LISTED_AT_MS - n * 1000).toISOString(),
  completed_at: null,
  calls: n % 3,
  first_line: `Question ${n}`,
  held: n % 5 === 0,
  started_by: STARTERS[n % STARTERS.length] ?? "trigger",
  metadata: { user: `u${n % 7}`, ...(n % 2 === 0 ? { 'a"b\\c': 'd"e' } : {}) },
  startedAtMs: LISTED_AT_MS - n * 1000,
  text: `Question ${n} about ${n % 3 === 0 ? "prime numbers" : "primroses"}`,
}));

/** Lists these runs, in an order that is not the list's. */
export async function listRunsIn(catalog: CatalogClient): Promise<void> {
  for (const { startedAtMs, text, ...row } of RUNS.toSorted((a, b) => (a.text < b.text ? -1 : 1))) {
    await catalog.upsert(createEntry(row, { startedAtMs, text }), 1);
  }
}

/** Each filter, and what it lets through. */
export const FILTERS: Record<string, [value: string, matches: (run: ListedRun) => boolean][]> = {
  verdict: VERDICTS.map((verdict) => [verdict, (run) => run.verdict === verdict]),
  status: STATUSES.map((status) => [status, (run) => run.status === status]),
  model: [["gpt-a", (run) => run.model === "gpt-a"]],
  started_by: STARTERS.map((name) => [name, (run) => run.started_by === name]),
  held: [
    ["true", (run) => run.held],
    ["false", (run) => !run.held],
  ],
  since: [["2026-11-20T11:59:00Z", (run) => run.startedAtMs >= LISTED_AT_MS - 60_000]],
  until: [["2026-11-20T13:59:00+02:00", (run) => run.startedAtMs < LISTED_AT_MS - 60_000]],
  q: [
    ["prim", () => true],
    ["prime", (run) => run.text.includes("prime")],
    ["NUMBERS prime", (run) => run.text.includes("prime numbers")],
    ["numbers primr", () => false],
  ],
  "metadata[user]": [["u3", (run) => run.metadata["user"] === "u3"]],
  'metadata[a"b\\c]': [['d"e', (run) => 'a"b\\c' in run.metadata]],
};
/** A filter with one value. */
export const SINGLE_FILTERS = Object.entries(FILTERS).flatMap(([name, values]) =>
  values.map(([value, matches]) => ({ name, value, matches })),
);

/** Every two values of different filters. */
export function toFilterPairs() {
  return SINGLE_FILTERS.flatMap((a, index) =>
    SINGLE_FILTERS.slice(index + 1)
      .filter((b) => b.name !== a.name)
      .map((b) => [a, b] as const),
  );
}
