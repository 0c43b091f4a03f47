import { expect, test } from "vitest";
import { toLineExcerpt } from "../../../../../src/views/text/printed/line-excerpt.ts";

const countLines = (count: number) => Array.from({ length: count }, (_, line) => `line ${line}`);
const toText = (count: number) => `${countLines(count).join("\n")}\n`;

test("toLineExcerpt shows 40 lines as they are", () => {
  const { groups, isCut } = toLineExcerpt({ text: toText(40), cut: null }, 10_000);
  expect(groups).toEqual([{ lines: countLines(40), from: 0, isFolded: false }]);
  expect(isCut).toBe(false);
});

test("toLineExcerpt of more lines shows the first and the last 15, and folds the rest", () => {
  const { groups, isCut } = toLineExcerpt({ text: toText(100), cut: null }, 10_000);
  expect(groups).toEqual([
    { lines: countLines(15), from: 0, isFolded: false },
    { lines: countLines(85).slice(15), from: 15, isFolded: true },
    { lines: countLines(100).slice(85), from: 85, isFolded: false },
  ]);
  expect(isCut).toBe(false);
});

test("toLineExcerpt of a text that is too large shows first and last lines, and its size", () => {
  const { groups, isCut, size } = toLineExcerpt({ text: toText(1_000), cut: null }, 1_000);
  expect(groups.map(({ lines }) => lines)).toEqual([countLines(15), countLines(1_000).slice(-15)]);
  expect([isCut, size]).toEqual([true, "8.9 KB"]);
});

test("toLineExcerpt takes the last lines from the end of a text of which it has only parts", () => {
  const cut = { end: "…\nlast but one\nlast", bytes: 5_000_000 };
  const { groups, isCut, size } = toLineExcerpt({ text: "first", cut }, 1_000);
  expect(groups.map(({ lines }) => lines)).toEqual([["first"], ["…", "last but one", "last"]]);
  expect([isCut, size]).toEqual([true, "5 MB"]);
});

test("toLineExcerpt cuts a line that is longer than a page allows at both its ends", () => {
  const { groups } = toLineExcerpt({ text: "é".repeat(5_000), cut: null }, 100);
  expect(groups.map(({ lines }) => lines)).toEqual([["é".repeat(25)], ["é".repeat(25)]]);
});
