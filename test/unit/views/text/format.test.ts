import { expect, test } from "vitest";
import {
  formatAge,
  formatBytes,
  formatDay,
  formatDuration,
} from "../../../../src/views/text/format.ts";

test.each([
  [400, "0.4 s"],
  [1_600, "1.6 s"],
  [59_000, "59 s"],
  [61_000, "1 min 1 s"],
  [3_600_000, "1 h"],
  [90_000_000, "1 d 1 h"],
])("formatDuration formats %i ms as %s", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_500, "1.5 KB"],
  [5_000_000, "5 MB"],
])("formatBytes formats %i bytes as %s", (count, text) => {
  expect(formatBytes(count)).toBe(text);
});

test.each([
  [-5, "0 s ago"],
  [12_900, "12 s ago"],
  [61_000, "1 min ago"],
  [150 * 60_000, "2 h ago"],
  [49 * 3_600_000, "2 d ago"],
])("formatAge formats %i ms as %s", (milliseconds, text) => {
  expect(formatAge(milliseconds)).toBe(text);
});

test("formatDay gives the day in UTC", () => {
  expect(formatDay("2026-12-26T23:59:59.999Z")).toBe("26 Dec 2026");
});
