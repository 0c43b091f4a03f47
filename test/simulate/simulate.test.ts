import { expect, test } from "vitest";
import { INVARIANTS } from "./check.ts";
import { simulate } from "./index.ts";

test.each([1, 2, 3])(
  "whatever fails, every response ends with the verdict that the script knows (seed %i)",
  async (seed) => {
    const { failures, crashes } = await simulate(seed, 500);
    expect(INVARIANTS.filter((invariant) => failures.has(invariant))).toEqual([]);
    expect(crashes).toBeGreaterThan(100);
  },
);

test("a seed plays the same again", async () => {
  const [one, other] = await Promise.all([simulate(7, 200), simulate(7, 200)]);
  expect(other).toEqual(one);
});
