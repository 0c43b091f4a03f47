import { expect, test } from "vitest";
import { INVARIANTS } from "./simulation/check.ts";
import { simulate } from "./simulation/index.ts";
import { simulateInThreads } from "./simulation/threads.ts";

test.each([1, 2, 3])(
  "every simulated response ends with the expected verdict, whatever fails (seed %i)",
  async (seed) => {
    const { failures, counts } = await simulate(seed, 500);
    expect(INVARIANTS.filter((invariant) => failures.has(invariant))).toEqual([]);
    expect(counts.get("crashes")).toBeGreaterThan(100);
  },
);

test("a seed gives the same totals in any number of threads", async () => {
  const [one, ...others] = await Promise.all([
    simulate(7, 200),
    simulateInThreads(7, 200, 1),
    simulateInThreads(7, 200, 3),
  ]);
  expect(others).toEqual([one, one]);
});
