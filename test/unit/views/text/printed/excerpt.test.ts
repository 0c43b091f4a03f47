import { expect, test } from "vitest";
import { toEnding, toExcerpt } from "../../../../../src/views/text/printed/excerpt.ts";

test("toExcerpt leaves a text that fits as it is", () => {
  expect(toExcerpt("ééé", 6)).toEqual({ text: "ééé", isTruncated: false, size: "6 bytes" });
});

test("toExcerpt truncates between two characters, and gives the size of the whole", () => {
  expect(toExcerpt("ééé", 5)).toEqual({ text: "éé", isTruncated: true, size: "6 bytes" });
});

test("toExcerpt takes the size of the whole when it gets only the beginning", () => {
  const excerpt = { text: "begin", isTruncated: true, size: "5 MB" };
  expect(toExcerpt("begin", 100, 5_000_000)).toEqual(excerpt);
});

test.each([
  ["ééé", 6, "ééé"],
  ["ééé", 5, "éé"],
  ["ab🙂", 3, ""],
  ["abc", 2, "bc"],
  ["abc", 0, ""],
  ["", 5, ""],
])("toEnding of %j in %i bytes is %j", (text, maxBytes, end) => {
  expect(toEnding(text, maxBytes)).toBe(end);
});
