import { expect, test } from "vitest";
import { createTimeScale } from "../../../../src/views/text/time-scale.ts";

test("createTimeScale keeps the order of crowded times, inside the timeline", () => {
  const timesMs = [0, 1_000, 1_600, 6_600, 26_600, 86_600, 266_600, 566_600];
  const { toPercent, marksMs, isCompressed } = createTimeScale(timesMs);
  const positions = timesMs.map(toPercent);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(Math.min(...positions)).toBeGreaterThan(0);
  expect(Math.max(...positions)).toBeLessThan(100);
  expect(marksMs.length).toBeGreaterThan(2);
  expect(isCompressed).toBe(true);
});

test("createTimeScale is linear when no times crowd", () => {
  const { toPercent, isCompressed } = createTimeScale([0, 1_000, 2_000]);
  expect(isCompressed).toBe(false);
  expect(toPercent(2_000) - toPercent(1_000)).toBeCloseTo(toPercent(1_000) - toPercent(0));
});

test("createTimeScale accepts a run without any duration", () => {
  expect(createTimeScale([0]).toPercent(0)).toBeGreaterThan(0);
});
