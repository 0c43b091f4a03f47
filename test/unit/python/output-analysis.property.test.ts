import * as fc from "fast-check";
import { expect, test } from "vitest";
import { callVerdict, outputReason } from "../../../src/record/verdict.ts";
import { CASES } from "../../support/python-cases.ts";
import { runs } from "../../support/property-runs.ts";

/** Characters of one text here. Up to eight times as many are kept, which garbage takes Lezer seconds to read. */
const MOST_CODE = 16 * 1024;

const WORDS = [
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
const PIECES = [...WORDS.flatMap((line) => line.split(" ")), ...SPACES];

const fragments = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 });
const python = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fragments.map((parts) => parts.join("")),
  fragments.map((parts) => parts.join(" ")),
  brokenCases(),
);

// What Python really looks like, with something missing or doubled.
function brokenCases(): fc.Arbitrary<string> {
  const code = fc.constantFrom(...CASES.map((one) => one.code));
  return fc
    .tuple(code, code, fc.nat(200), fc.nat(200))
    .map(([one, other, from, to]) => one.slice(0, from) + other.slice(to));
}

test("any text has a verdict, and it says suspect just where there is a reason", () => {
  fc.assert(fc.property(python, judges), runs(500));
});

test("text that repeats itself without end has one too", () => {
  const repeated = fc
    .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(""))
    .map((part) => part.repeat(Math.ceil(MOST_CODE / part.length)).slice(0, MOST_CODE));
  fc.assert(fc.property(repeated, judges), runs(3));
});

test.each([
  ["parentheses", `${"(".repeat(60_000)}1${")".repeat(60_000)}`],
  ["calls of calls", `${"f(".repeat(40_000)}${")".repeat(40_000)}`],
  ["members", `x${".a".repeat(60_000)}`],
  ["operators", `${"-".repeat(120_000)}1`],
  ["statements on one line", "if 1: ".repeat(20_000)],
  ["functions that call the next", chain(2_500)],
  ["texts in braces in texts", "f'{\\\f".repeat(6_554)],
])("%s without end have a verdict", (_, code) => {
  expect(verdictOf(code)).toMatch(/^(silent|suspect)$/);
});

test("what a long chain of functions prints in its last one is found", () => {
  expect(outputReason(`def f2000(): print(1)\n${chain(2_000)}`)).toBe("calls print");
});

function chain(functions: number): string {
  const lines = Array.from({ length: functions }, (_, n) => `def f${n}(): f${n + 1}()`);
  return [...lines, "f0()"].join("\n");
}

function judges(code: string): void {
  const reason = outputReason(code);
  expect(reason).not.toBe("");
  expect(verdictOf(code)).toBe(reason === null ? "silent" : "suspect");
}

function verdictOf(code: string): string {
  return callVerdict({ code, state: "empty" }, null, true);
}
