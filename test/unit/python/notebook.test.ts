import { expect, test } from "vitest";
import { analyzeNotebook } from "../../../src/python/notebook.ts";
import { PYTHON_VOCABULARY } from "../../../src/python/words/vocabulary.ts";
import { LABELLED_CODES } from "../../support/labelled-code.ts";
import { LABELLED_NOTEBOOKS, type LabelledNotebook } from "../../support/labelled-notebooks.ts";

/** Why each of these calls should have shown something. */
function findReasons(codes: (string | null)[], isFresh = true): (string | null)[] {
  const calls = codes.map((code) => ({ code, isWhole: true }));
  return analyzeNotebook(calls, isFresh, PYTHON_VOCABULARY).map(({ reason }) => reason);
}

/** The names that each of these calls reads and none binds. */
function findUnbound(codes: string[], isFresh = true): string[][] {
  const calls = codes.map((code) => ({ code, isWhole: true }));
  return analyzeNotebook(calls, isFresh, PYTHON_VOCABULARY).map(({ unbound }) => unbound);
}

/** The labelled calls of a notebook, each with the analysis's reason. */
function readNotebook({ label, hasEarlier, calls }: LabelledNotebook) {
  const reasons = findReasons(
    calls.map(({ code }) => code),
    !hasEarlier,
  );
  return calls.map((call, index) => ({ label, ...call, reason: reasons[index] ?? null }));
}

const LABELLED = [
  ...LABELLED_CODES.map(({ label, code, hasOutput }) => ({
    label,
    hasEarlier: false,
    calls: [{ code, hasOutput }],
  })),
  ...LABELLED_NOTEBOOKS,
].flatMap(readNotebook);

test("a kernel labelled at least 300 calls, in notebooks with different names", () => {
  expect(LABELLED_NOTEBOOKS.flatMap(({ calls }) => calls).length).toBeGreaterThanOrEqual(300);
  const labels = LABELLED_NOTEBOOKS.map(({ label }) => label);
  expect(labels).toEqual([...new Set(labels)]);
});

test("analyzeNotebook has a reason for every labelled call that shows something", () => {
  expect(LABELLED.filter(({ hasOutput, reason }) => hasOutput && reason === null)).toEqual([]);
});

test("analyzeNotebook has a reason for at most one in four labelled calls that show nothing", () => {
  const quiet = LABELLED.filter(({ hasOutput }) => !hasOutput);
  const wrong = quiet.filter(({ reason }) => reason !== null);
  expect(wrong.length / quiet.length).toBeLessThanOrEqual(1 / 4);
});

test.each([
  ["no code", null],
  ["code that can't be parsed", "x = = 1"],
  ["code that is nested too deeply", `x = ${"(".repeat(5_000)}1${")".repeat(5_000)}`],
])("analyzeNotebook suspects %s", (_, code) => {
  expect(findReasons([code])).toEqual([expect.any(String)]);
});

test("analyzeNotebook suspects code of which the end is missing", () => {
  const calls = [
    { code: "x = 1", isWhole: true },
    { code: "y = 1", isWhole: false },
  ];
  const reasons = analyzeNotebook(calls, true, PYTHON_VOCABULARY).map(({ reason }) => reason);
  expect(reasons).toEqual([null, expect.any(String)]);
});

test("analyzeNotebook suspects a name that no call defines where a call before can't be read", () => {
  expect(findReasons([null, "y = compute(1)"])).toEqual([expect.any(String), expect.any(String)]);
});

test.each([
  ["a function", ["def report(x): print(x)", "for i in range(3): report(i)"]],
  ["an alias", ["say = print", "say(1)"]],
  ["an import", ["from sys import stdout as out", "out.write('x');"]],
  ["a set-up of logging", ["import logging\nlogging.basicConfig(level='INFO')", "logging.info(1)"]],
])("analyzeNotebook knows %s of an earlier call", (_, codes) => {
  expect(findReasons(codes)).toEqual([null, expect.any(String)]);
});

test("analyzeNotebook suspects a name that no call defines, unless the container is new", () => {
  expect(findReasons(["total = price * 2"], false)).toEqual(["uses price, which no call defines"]);
  expect(findReasons(["total = price * 2"], true)).toEqual([null]);
});

test("analyzeNotebook finds the names that no call of a new container binds", () => {
  expect(findUnbound(["total = price * 2", "x = 1\ny = x + rate"])).toEqual([["price"], ["rate"]]);
});

test.each([
  ["that a later call binds", ["x = later", "later = 1"], true],
  ["in an older container", ["x = price"], false],
  ["in a function that is not called", ["def f(): return price"], true],
  ["in a branch", ["import random\nif random.random() > 2: x = price"], true],
  ["of a keyword", ["from functools import partial\nf = partial(int, base=2)"], true],
  ["of a decorator's attribute", ["import functools as f\n@f.cache\ndef g(): pass"], true],
  ["that a generator binds", ["x = sum(i * i for i in range(3))"], true],
  ["that Python has", ["x = len([__name__])"], true],
  ["that the notebook has", ["x = (_, In, display)"], true],
  ["that exec can have bound", ["exec('price = 1')", "x = price"], true],
  ["that a star import can have bound", ["from math import *", "x = sqrt(2)"], true],
  [
    "that any statement binds",
    [
      "import a.b as c, d\nfrom e import f as g\nwith c as (h): pass\nfor i, (j, *k) in d: pass",
      "x, y = [l for l in g if (m := l)], lambda n, *o, p=1: (n, o, p)\nprint(c, d, g, h, i, j, k, m)",
      "match x:\n  case [q, *r]: s = q, r\ntry: pass\nexcept Exception as t: u = t",
    ],
    true,
  ],
])("analyzeNotebook finds no name %s", (_, codes, isFresh) => {
  expect(findUnbound(codes, isFresh).flat()).toEqual([]);
});
