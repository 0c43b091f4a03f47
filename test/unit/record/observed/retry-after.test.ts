import { expect, test } from "vitest";
import { createRunState } from "../../../../src/record/machine/run-state.ts";
import { retryAfterSeconds } from "../../../../src/record/observed/retry-after.ts";
import { isSettled, type RunState } from "../../../../src/record/state.ts";
import { toTime } from "../../../resilience/simulation/clock.ts";
import { runScenario, TRIGGER_PARAMS, webhookAt } from "../scenario-runner.ts";

const START_MS = Date.parse(toTime(0));

/** The states of a run whose outputs stay empty. */
function listStates(): RunState[] {
  const { states } = runScenario(
    () => ({ http: 200, status: "completed", outputs: "empty", body: "a" }),
    { events: [webhookAt(7)] },
  );
  return states.filter((state) => state?.kind === "run");
}

test("retryAfterSeconds is null exactly when a run is settled", () => {
  const states = listStates();
  expect(new Set(states.map(isSettled))).toEqual(new Set([true, false]));
  for (const state of states) {
    expect(retryAfterSeconds(state, START_MS) === null).toBe(isSettled(state));
  }
});

test("retryAfterSeconds of a suspect run is the time until its next observation, and a second when that is under way or late", () => {
  const suspect = listStates().filter(({ record }) => record.verdict === "suspect");
  const [idle] = suspect.filter(({ running, record }) => !running && !record.settled_at);
  const observedMs = Date.parse(idle?.record.observations.at(-1)?.at ?? "");
  if (idle === undefined) throw new Error("The run never waited.");
  const [first = 0] = idle.policy.delays_seconds;
  expect(first).toBeGreaterThan(1);
  expect(retryAfterSeconds(idle, observedMs)).toBeLessThanOrEqual(first);
  expect(retryAfterSeconds(idle, observedMs)).toBeGreaterThan(1);
  expect(retryAfterSeconds(idle, observedMs + 3_600_000)).toBe(1);
  const observing = suspect.find(({ running }) => running?.type === "observe");
  expect(observing && retryAfterSeconds(observing, observedMs)).toBe(1);
});

test("retryAfterSeconds is five at most while a webhook or the end of a Connection can come", () => {
  const pending = createRunState(TRIGGER_PARAMS, START_MS);
  expect(retryAfterSeconds(pending, START_MS)).toBe(5);
  const [first] = listStates().filter(({ record }) => record.verdict === "suspect");
  if (first === undefined) throw new Error("The run never was suspect.");
  const idle = { ...first, running: null };
  const record = { ...idle.record, control_due: true, control_connection: "c" };
  expect(retryAfterSeconds({ ...idle, record }, START_MS)).toBe(5);
});
