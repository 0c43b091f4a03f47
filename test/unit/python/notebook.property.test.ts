import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findOutputReason, judgeCode } from "../../support/judge-code.ts";
import { LABELLED_CODES } from "../../support/labelled-code.ts";
import { runs } from "../../support/property-runs.ts";

/** Lezer takes seconds to parse 128 KiB of garbage, the most that the Worker keeps. */
const REPEATED_CODE_CHARACTERS = 16 * 1024;

const WORD_LISTS = [
  "print x sys stdout f None 1 not exit() raise lambda: def class A: import from m if else while",
  'for in with return yield await async ( ) [ ] { } : ; , . = == := * ** @ -> - \' " """ f\'{ \\ #',
];
const SPACES = [
  "\n",
  "\n    ",
  "\n\t",
  "\r\n",
  "\f",
  " ",
  "!ls",
  "%time ",
  "\u0000",
  "🙂",
  "\ud800",
];
const PIECES = [...WORD_LISTS.flatMap((words) => words.split(" ")), ...SPACES];

const fragments = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 });
const python = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fragments.map((parts) => parts.join("")),
  fragments.map((parts) => parts.join(" ")),
  arbitraryBrokenCode(),
);

// Real Python with something missing or doubled.
function arbitraryBrokenCode(): fc.Arbitrary<string> {
  const code = fc.constantFrom(...LABELLED_CODES.map((labelled) => labelled.code));
  return fc
    .tuple(code, code, fc.nat(200), fc.nat(200))
    .map(([one, other, end, start]) => one.slice(0, end) + other.slice(start));
}

test("judgeCalls gives any text a verdict, suspect exactly where analyzeNotebook has a reason", () => {
  fc.assert(fc.property(python, expectConsistentVerdict), runs(500));
});

test("judgeCalls gives 16 KiB of repeated text a verdict", () => {
  const repeated = fc
    .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(""))
    .map((part) => repeatTo(part, REPEATED_CODE_CHARACTERS));
  fc.assert(fc.property(repeated, expectConsistentVerdict), runs(3));
});

test.each([
  ["parentheses", `${"(".repeat(60_000)}1${")".repeat(60_000)}`],
  ["nested calls", `${"f(".repeat(40_000)}${")".repeat(40_000)}`],
  ["members", `x${".a".repeat(60_000)}`],
  ["operators", `${"-".repeat(120_000)}1`],
  ["statements on one line", "if 1: ".repeat(20_000)],
  ["functions that call the next", toCallChain(2_500)],
  ["nested f-strings", "f'{\\\f".repeat(6_554)],
])("judgeCalls gives thousands of %s a verdict", (_, code) => {
  expect(judgeCode(code)).toMatch(/^(silent|suspect)$/);
});

test("analyzeNotebook finds a print at the end of a chain of 2,000 functions", () => {
  expect(findOutputReason(`def f2000(): print(1)\n${toCallChain(2_000)}`)).toBe("calls print");
});

/** Functions of which each calls the next. */
function toCallChain(length: number): string {
  const lines = Array.from({ length }, (_, n) => `def f${n}(): f${n + 1}()`);
  return [...lines, "f0()"].join("\n");
}

function expectConsistentVerdict(code: string): void {
  const reason = findOutputReason(code);
  expect(reason).not.toBe("");
  expect(judgeCode(code)).toBe(reason === null ? "silent" : "suspect");
}

function repeatTo(part: string, characters: number): string {
  return part.repeat(Math.ceil(characters / part.length)).slice(0, characters);
}
