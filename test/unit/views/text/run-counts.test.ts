import { expect, test } from "vitest";
import type { Overview } from "../../../../src/objects/catalog/row.ts";
import { RunVerdict } from "../../../../src/record/schema.ts";
import { describeTotal, listVerdicts } from "../../../../src/views/text/run-counts.ts";

const EXACT: Overview = {
  counted: 1_234,
  hasMore: false,
  verdicts: [
    { verdict: "captured", count: 1_233, isAtLeast: false },
    { verdict: "lost", count: 1, isAtLeast: false },
  ],
  models: [],
};
const PART: Overview = {
  counted: 10_001,
  hasMore: true,
  verdicts: [
    { verdict: "captured", count: 9_990, isAtLeast: true },
    { verdict: "lost", count: 4_321, isAtLeast: false },
    { verdict: "gone", count: 0, isAtLeast: false },
    { verdict: "suspect", count: 0, isAtLeast: true },
  ],
  models: [],
};

test.each([
  [EXACT, undefined, "1,234 runs"],
  [EXACT, "lost", "1 run"],
  [EXACT, "silent", "0 runs"],
  [PART, undefined, "more than 10,000 runs"],
  [PART, "lost", "4,321 runs"],
  [PART, "captured", "at least 9,990 runs"],
  [PART, "silent", "at least 0 runs"],
  [PART, "gone", "0 runs"],
] as const)("describeTotal (%#) says whether all were counted", (overview, verdict, text) => {
  expect(describeTotal(overview, verdict)).toBe(text);
});

test("listVerdicts offers the verdicts that runs have, with their numbers", () => {
  expect(listVerdicts(RunVerdict.options, EXACT, undefined)).toEqual([
    { verdict: "captured", count: "1,233" },
    { verdict: "lost", count: "1" },
  ]);
});

test("listVerdicts offers the verdict in use although no run has it", () => {
  expect(listVerdicts(["lost", "silent"], EXACT, "silent")).toEqual([
    { verdict: "lost", count: "1" },
    { verdict: "silent", count: "0" },
  ]);
});

test("listVerdicts offers a verdict that older runs can have, without a number", () => {
  const options = ["captured", "lost", "gone", "suspect", "silent"] as const;
  expect(listVerdicts(options, PART, undefined)).toEqual([
    { verdict: "captured", count: "9,990+" },
    { verdict: "lost", count: "4,321" },
    { verdict: "suspect", count: "" },
    { verdict: "silent", count: "" },
  ]);
});

test("listVerdicts offers all verdicts while their numbers are not known", () => {
  const verdicts = listVerdicts(RunVerdict.options, null, undefined);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(RunVerdict.options);
});
