import { expect, test } from "vitest";
import { percentile } from "../../../src/lib/percentile.ts";

test.each([
  [0, 1],
  [0.5, 2],
  [0.51, 3],
  [0.95, 4],
  [1, 4],
])("percentile takes by the nearest rank for the part %s", (part, value) => {
  expect(percentile([1, 2, 3, 4], part)).toBe(value);
});

test("percentile of no values is null", () => {
  expect(percentile([], 0.5)).toBeNull();
});
