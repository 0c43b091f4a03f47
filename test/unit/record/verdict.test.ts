import { expect, test } from "vitest";
import { applyObservation } from "../../../src/record/reducer.ts";
import type { StoredRecord, OutputState, ObservedCall } from "../../../src/record/schema.ts";
import { outputReason } from "../../../src/record/verdict.ts";
import { CASES } from "../../support/python-cases.ts";
import { known, looked } from "../../resilience/simulation/scenario-runner.ts";

function verdictOf(code: string | null): "suspect" | "silent" {
  return outputReason(code) === null ? "silent" : "suspect";
}

test("there are at least 60 labelled codes", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(60);
});

test.each(CASES)("$label", ({ code, shown, verdict }) => {
  expect(verdictOf(code)).toBe(verdict ?? (shown ? "suspect" : "silent"));
});

test("no labelled code that shows something is called silent", () => {
  const wrong = CASES.filter(({ shown, code }) => shown && verdictOf(code) === "silent");
  expect(wrong).toEqual([]);
});

test("at most one in ten labelled codes that show nothing is called suspect", () => {
  const quiet = CASES.filter(({ shown }) => !shown);
  const wrong = quiet.filter(({ code }) => verdictOf(code) === "suspect");
  expect(wrong.length).toBeLessThanOrEqual(quiet.length / 10);
});

type Row = {
  name: string;
  calls: [string, OutputState][];
  status?: string;
  verdict: StoredRecord["verdict"];
};

const ROWS: Row[] = [
  {
    name: "outputs of every call",
    calls: [
      ["print(1)", "populated"],
      ["2", "populated"],
    ],
    verdict: "captured",
  },
  { name: "null outputs count as empty", calls: [["print(1)", "null"]], verdict: "suspect" },
  { name: "null outputs of quiet code", calls: [["x = 1", "null"]], verdict: "silent" },
  {
    name: "the worst call decides",
    calls: [
      ["x = 1", "empty"],
      ["print(1)", "empty"],
      ["2", "populated"],
    ],
    verdict: "suspect",
  },
  {
    name: "a captured call outweighs a silent one",
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
  {
    name: "a response that goes on",
    calls: [["print(1)", "empty"]],
    status: "in_progress",
    verdict: "pending",
  },
];

test.each(ROWS)("$name: $verdict", ({ calls, status, verdict }) => {
  const seen = calls.map(([code, state], index): ObservedCall => ({
    id: `ci_${index}`,
    container_id: null,
    code,
    state,
  }));
  expect(
    applyObservation(known(), looked(1, { status: status ?? "completed", calls: seen })).verdict,
  ).toBe(verdict);
});

const PRINTING: ObservedCall = { id: "ci_0", container_id: null, code: "print(1)", state: "empty" };
const POPULATED: ObservedCall = { ...PRINTING, state: "populated" };

test("a later look that has outputs makes a call recovered, and it stays so", () => {
  const first = applyObservation(known(), looked(1, { calls: [PRINTING] }));
  const second = applyObservation(first, looked(6, { calls: [POPULATED] }));
  const third = applyObservation(second, looked(25, { calls: [PRINTING] }));
  for (const record of [second, third]) {
    expect(record).toMatchObject({
      verdict: "recovered",
      calls: [{ source: "refetch", state: "populated" }],
    });
  }
});

test("a terminal status stays, whatever a later look says", () => {
  const first = applyObservation(known(), looked(1, { calls: [POPULATED] }));
  for (const status of ["in_progress", "failed", "queued"]) {
    const second = applyObservation(first, looked(6, { status, calls: [] }));
    expect(second).toMatchObject({ status: "completed", verdict: "captured" });
  }
});
