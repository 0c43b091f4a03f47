import { expect, test } from "vitest";
import { findDifference } from "../../../../../src/views/text/printed/line-difference.ts";

test.each([
  ["a\nb\nc", "a\nb\nc", null],
  ["a\nb\nc", "a\nx\nc", { from: 1, to: 2 }],
  ["a\nb", "", { from: 0, to: 2 }],
  ["a\nb\nb", "a\nb", { from: 2, to: 3 }],
  ["a", "a\nb", null],
])("findDifference in %j from %j gives the lines %j", (text, other, range) => {
  expect(findDifference(text, other)).toEqual(range);
});
