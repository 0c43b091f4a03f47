// A refetch in flight that has the result of a call.
import { expect, test } from "vitest";
import { runScenario, webhookAt, type ScriptedAnswer } from "./scenario-runner.ts";

const EARLY: ScriptedAnswer = {
  http: 200,
  status: "in_progress",
  outputs: "populated",
  hasOutputs: true,
};
const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated", body: "a" };
const EMPTY: ScriptedAnswer = { ...DONE, outputs: "empty" };
const NOT_FOUND: ScriptedAnswer = { http: 404 };

/** A run whose first observation, after two minutes, has the result in flight. */
function runEarly(later: ScriptedAnswer) {
  return runScenario((_, number) => (number === 1 ? EARLY : later), { events: [webhookAt(125)] });
}

function listStoredOutputs({ effects }: ReturnType<typeof runScenario>): string[] {
  return effects.flatMap(({ effect }) => (effect.type === "store_outputs" ? [effect.channel] : []));
}

test("a run that is gone keeps the results that a refetch in flight had", () => {
  const result = runEarly(NOT_FOUND);
  const call = { state: "populated", source: "refetch", verdict: "recovered" };
  expect(result.record).toMatchObject({ verdict: "gone", calls: [call] });
  expect(listStoredOutputs(result)).toEqual(["refetch"]);
});

test("a result that a refetch in flight had, and the end lacks, is recovered", () => {
  const result = runEarly(EMPTY);
  const call = { state: "populated", source: "refetch", verdict: "recovered" };
  expect(result.record).toMatchObject({ verdict: "recovered", status: "completed", calls: [call] });
  expect(listStoredOutputs(result)).toEqual(["refetch"]);
});

test("a result that the end has as well is captured there, and stored once", () => {
  const result = runEarly(DONE);
  expect(result.record).toMatchObject({
    verdict: "captured",
    calls: [{ source: "refetch", verdict: "captured" }],
  });
  expect(listStoredOutputs(result)).toEqual([]);
});

test("nothing is stored in KV before the end", () => {
  const result = runScenario(() => EARLY, { untilSeconds: 3_600 });
  expect(result.record).toMatchObject({ verdict: "pending", calls: [{ source: "refetch" }] });
  expect([...result.stored, ...listStoredOutputs(result)]).toEqual([]);
});
