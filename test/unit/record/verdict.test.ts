import { toCodeCall } from "../../support/code-call.ts";
import type { ResultState } from "../../../src/record/calls/item-kinds.ts";
import { expect, test } from "vitest";
import { applyObservation } from "../../../src/record/reducer.ts";
import type { StoredRecord, ObservedCall } from "../../../src/record/schema.ts";
import { judgeCode } from "../../support/judge-code.ts";
import { LABELLED_CODES } from "../../support/labelled-code.ts";
import { createObservation, createTestRecord } from "./scenario-runner.ts";

test("at least 60 codes are labelled", () => {
  expect(LABELLED_CODES.length).toBeGreaterThanOrEqual(60);
});

test.each(LABELLED_CODES)("judgeCalls is right about $label", ({ code, hasOutput, verdict }) => {
  expect(judgeCode(code)).toBe(verdict ?? (hasOutput ? "suspect" : "silent"));
});

test("judgeCalls suspects every labelled code with output", () => {
  const wrong = LABELLED_CODES.filter(
    ({ hasOutput, code }) => hasOutput && judgeCode(code) === "silent",
  );
  expect(wrong).toEqual([]);
});

test("judgeCalls suspects at most one in four labelled codes without output", () => {
  const silent = LABELLED_CODES.filter(({ hasOutput }) => !hasOutput);
  const wrong = silent.filter(({ code }) => judgeCode(code) === "suspect");
  expect(wrong.length).toBeLessThanOrEqual(silent.length / 4);
});

type Row = {
  name: string;
  /** Code, outputs, and the call's own status; `completed` by default. */
  calls: [string, ResultState, (string | null)?][];
  status?: string;
  verdict: StoredRecord["verdict"];
};

const ROWS: Row[] = [
  {
    name: "calls that all have outputs",
    calls: [
      ["print(1)", "populated"],
      ["2", "populated"],
    ],
    verdict: "captured",
  },
  { name: "null outputs of code that prints", calls: [["print(1)", "null"]], verdict: "suspect" },
  { name: "null outputs of silent code", calls: [["x = 1", "null"]], verdict: "silent" },
  {
    name: "a suspect call among others",
    calls: [
      ["x = 1", "empty"],
      ["print(1)", "empty"],
      ["2", "populated"],
    ],
    verdict: "suspect",
  },
  {
    name: "a captured and a silent call",
    calls: [
      ["x = 1", "empty"],
      ["2", "populated"],
    ],
    verdict: "captured",
  },
  { name: "no calls", calls: [], verdict: "no_calls" },
  { name: "a failed response without calls", calls: [], status: "failed", verdict: "no_calls" },
  {
    name: "a failed response whose code prints",
    calls: [["print(1)", "empty"]],
    status: "failed",
    verdict: "suspect",
  },
  {
    name: "a cancelled response",
    calls: [["print(1)", "populated"]],
    status: "cancelled",
    verdict: "captured",
  },
  {
    name: "an incomplete response",
    calls: [["x = 1", "empty"]],
    status: "incomplete",
    verdict: "silent",
  },
  ...["in_progress", "interpreting", "incomplete", "failed", "odd"].map((own): Row => ({
    name: `code that prints, of a call that is ${own},`,
    calls: [["print(1)", "empty", own]],
    verdict: "unfinished",
  })),
  {
    name: "code that prints, of a call without a status,",
    calls: [["print(1)", "empty", null]],
    verdict: "suspect",
  },
  {
    name: "an unfinished call that still has outputs",
    calls: [["print(1)", "populated", "incomplete"]],
    verdict: "captured",
  },
  {
    name: "a suspect call beside an unfinished one",
    calls: [
      ["print(1)", "empty", "incomplete"],
      ["print(2)", "empty"],
    ],
    verdict: "suspect",
  },
  {
    name: "a captured call beside an unfinished one",
    calls: [
      ["print(1)", "populated"],
      ["print(2)", "empty", "in_progress"],
    ],
    verdict: "unfinished",
  },
  {
    name: "a response in progress",
    calls: [["print(1)", "empty"]],
    status: "in_progress",
    verdict: "pending",
  },
];

test.each(ROWS)(
  "applyObservation gives $name the verdict $verdict",
  ({ calls, status, verdict }) => {
    const observed = calls.map(([code, state, own = "completed"], index) =>
      toCodeCall({ id: `ci_${index}`, status: own, code, state }),
    );
    expect(
      applyObservation(
        createTestRecord(),
        createObservation(1, { status: status ?? "completed", calls: observed }),
      ).verdict,
    ).toBe(verdict);
  },
);

const EMPTY = toCodeCall({ id: "ci_0" });
const POPULATED: ObservedCall = { ...EMPTY, state: "populated" };

test("applyObservation makes a call recovered when a later observation has its outputs, and it stays recovered", () => {
  const first = applyObservation(createTestRecord(), createObservation(1, { calls: [EMPTY] }));
  const second = applyObservation(first, createObservation(6, { calls: [POPULATED] }));
  const third = applyObservation(second, createObservation(25, { calls: [EMPTY] }));
  for (const record of [second, third]) {
    expect(record).toMatchObject({
      verdict: "recovered",
      calls: [{ source: "refetch", state: "populated" }],
    });
  }
});

test("applyObservation keeps a terminal status, whatever a later observation says", () => {
  const first = applyObservation(createTestRecord(), createObservation(1, { calls: [POPULATED] }));
  for (const status of ["in_progress", "failed", "queued"]) {
    const second = applyObservation(first, createObservation(6, { status, calls: [] }));
    expect(second).toMatchObject({ status: "completed", verdict: "captured" });
  }
});

const RUNNING: ObservedCall = { ...EMPTY, status: "interpreting", request: null };

test("applyObservation takes the later status of a call, and its code, and judges it again", () => {
  const first = applyObservation(createTestRecord(), createObservation(1, { calls: [RUNNING] }));
  expect(first).toMatchObject({ verdict: "unfinished", calls: [{ status: "interpreting" }] });
  const second = applyObservation(first, createObservation(6, { calls: [EMPTY] }));
  expect(second).toMatchObject({
    verdict: "suspect",
    calls: [{ status: "completed", request: "print(1)" }],
  });
  const third = applyObservation(second, createObservation(25, { calls: [RUNNING] }));
  expect(third.calls).toEqual(second.calls);
});

test("applyObservation keeps a status that a later observation lacks", () => {
  const first = applyObservation(createTestRecord(), createObservation(1, { calls: [EMPTY] }));
  const second = applyObservation(
    first,
    createObservation(6, { calls: [{ ...POPULATED, status: null }] }),
  );
  expect(second.calls).toMatchObject([{ status: "completed", verdict: "recovered" }]);
});
