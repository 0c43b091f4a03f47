import { expect, test } from "vitest";
import { Stats, toStats } from "../../../../src/api/answers/stats.ts";
import type { RunGroup } from "../../../../src/objects/catalog/groups.ts";

const NOW_MS = Date.parse("2026-03-01T00:30:00Z");
const NO_TIMES = { runs: 0, p50_ms: null, p95_ms: null };

function createGroup(given: Partial<RunGroup>): RunGroup {
  const tokens = { input: 100, cached: 10, output: 20, reasoning: 5, total: 120 };
  const group = { day: "2026-03-01", verdict: "captured", model: "gpt-a", runs: 1 } as const;
  return { ...group, counted: 1, ...tokens, ...given };
}

const GROUPS = [
  createGroup({ runs: 6 }),
  createGroup({ verdict: "lost", runs: 2 }),
  createGroup({ verdict: "suspect", model: "gpt-b", counted: 0, total: 0 }),
  createGroup({ verdict: "no_calls", day: "2026-02-28", runs: 3 }),
  createGroup({ verdict: "pending", model: null, runs: 4 }),
];

test("toStats counts each run once by day, by verdict and by model", () => {
  const stats = toStats({ groups: GROUPS, readable: NO_TIMES }, 3, NOW_MS);
  expect(Stats.parse(stats)).toEqual(stats);
  expect(stats).toMatchObject({ runs: 16, days: 3, since: "2026-02-27", until: "2026-03-01" });
  expect(stats.verdicts).toEqual({ captured: 6, lost: 2, suspect: 1, no_calls: 3, pending: 4 });
  expect(stats.by_day.map(({ day, runs }) => [day, runs])).toEqual([
    ["2026-02-27", 0],
    ["2026-02-28", 3],
    ["2026-03-01", 13],
  ]);
  expect(stats.by_model.map(({ model, runs }) => [model, runs])).toEqual([
    ["gpt-a", 11],
    [null, 4],
    ["gpt-b", 1],
  ]);
});

test("toStats adds tokens up, and says for how many runs they are known", () => {
  const { tokens, by_day } = toStats({ groups: GROUPS, readable: NO_TIMES }, 3, NOW_MS);
  expect(tokens).toEqual({
    runs: 4,
    input: 500,
    cached: 50,
    output: 100,
    reasoning: 25,
    total: 480,
  });
  expect(by_day.map((day) => day.tokens.total)).toEqual([0, 120, 360]);
});

test("toStats gives shares of the runs with calls whose end was seen, and none without such runs", () => {
  const stats = toStats({ groups: GROUPS, readable: NO_TIMES }, 3, NOW_MS);
  expect(stats.runs_with_calls).toBe(9);
  expect(stats.lost_share).toBeCloseTo(2 / 9);
  expect(stats.suspect_share).toBeCloseTo(1 / 9);
  const none = toStats({ groups: GROUPS.slice(3), readable: NO_TIMES }, 3, NOW_MS);
  expect([none.lost_share, none.suspect_share]).toEqual([null, null]);
});

test("toStats lists the 50 models with the most runs, and how many more there are", () => {
  const groups = Array.from({ length: 53 }, (_, n) => createGroup({ model: `gpt-${n}`, runs: n }));
  const { by_model, other_models, runs } = toStats({ groups, readable: NO_TIMES }, 1, NOW_MS);
  expect([by_model.length, by_model[0]?.model, other_models]).toEqual([50, "gpt-52", 3]);
  expect(runs).toBe((52 * 53) / 2);
});
