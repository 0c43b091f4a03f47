import { expect, test } from "vitest";
import { shareBudget } from "../../../../src/views/text/page-budget.ts";

test.each([
  ["texts that fit", [100, 200], 16_000],
  ["one text that is too long", [50_000], 10_000],
  ["a long text among short ones", [100, 100, 50_000], 9_800],
  ["long texts", [50_000, 50_000, 50_000, 50_000], 2_500],
  ["more long texts than there is room for", Array.from({ length: 400 }, () => 9_000), 240],
  ["no texts", [], 16_000],
])("shareBudget of 10,000 bytes for %s", (_, sizes, share) => {
  expect(shareBudget(sizes, 10_000)).toBe(share);
});
