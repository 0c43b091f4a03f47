import { expect, test } from "vitest";
import { nextCheck } from "../../../../src/record/observed/next-check.ts";
import type { RunState } from "../../../../src/record/state.ts";
import { toTime } from "../../../resilience/simulation/clock.ts";
import { runScenario, webhookAt } from "../scenario-runner.ts";

/** The idle states of a run whose outputs stay empty, one for each observation. */
function listIdleStates(): RunState[] {
  const { states } = runScenario(
    () => ({ http: 200, status: "completed", outputs: "empty", body: "a" }),
    { events: [webhookAt(0)] },
  );
  const runs = states.filter((state) => state?.kind === "run");
  const idle = runs.filter(({ running, record }) => !running && record.observations.length > 0);
  return [...new Map(idle.map((run) => [run.record.observations.length, run])).values()];
}

test("nextCheck counts a run's observations up to the last of the schedule, and ends with it", () => {
  const checks = listIdleStates().map(nextCheck);
  expect(checks).toEqual([
    ...[5, 25, 85, 265, 565].map((seconds, index) => ({
      at: toTime(seconds),
      number: index + 2,
      total: 6,
    })),
    null,
  ]);
});

test("nextCheck is null while the verdict is not known, and while the run's Connection is still to be read", () => {
  const [first] = listIdleStates();
  if (first === undefined) throw new Error("The run was never idle.");
  const { record } = first;
  expect(nextCheck(first)).not.toBeNull();
  expect(nextCheck({ ...first, record: { ...record, verdict: "pending" } })).toBeNull();
  expect(nextCheck({ ...first, record: { ...record, connection_due: true } })).toBeNull();
});

test("nextCheck is not due before an attempt that failed may be repeated", () => {
  const [first] = listIdleStates();
  if (first === undefined) throw new Error("The run was never idle.");
  const not_before_ms = Date.parse(toTime(11));
  const delayed = { ...first, observation: { ...first.observation, not_before_ms } };
  expect(nextCheck(delayed)?.at).toBe(toTime(11));
});
