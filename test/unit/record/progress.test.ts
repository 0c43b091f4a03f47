import { expect, test } from "vitest";
import { addProgress, createRunState } from "../../../src/record/machine/run-state.ts";
import { toProgressUpdates } from "../../../src/record/progress.ts";
import type { Channel, RunConnection } from "../../../src/record/schema.ts";
import type { RunState } from "../../../src/record/state.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import { TRIGGER_PARAMS } from "./scenario-runner.ts";

/** The state of a run that was observed by some channels in turn. */
function observedBy(kind: RunConnection["kind"] | null, ...channels: Channel[]): RunState {
  const connection = kind === null ? null : { id: "connection", kind };
  const state = createRunState({ ...TRIGGER_PARAMS, connection }, Date.parse(toTime(0)));
  return channels.reduce(
    (run, channel, index) => addProgress(run, "observed", toTime(index + 1), channel),
    state,
  );
}

function connectionsOf(state: RunState) {
  return toProgressUpdates(state, 0).map(({ connection }) => connection);
}

test.each([
  { kind: "held", channel: "held" },
  { kind: "followed", channel: "stream" },
] as const)("updates of a $kind run name its Connection until that was read", (given) => {
  const { kind, channel } = given;
  const state = observedBy(kind, "refetch", channel, "stream", "refetch");
  expect(connectionsOf(state)).toEqual([kind, kind, kind, null, null]);
});

test("updates of a run without a Connection name none, also when its events were replayed", () => {
  expect(connectionsOf(observedBy(null, "refetch", "stream"))).toEqual([null, null, null]);
});

test("updates after a reading that is not kept any more name no Connection", () => {
  const { record, ...rest } = observedBy("held", "refetch");
  const state = { ...rest, record: { ...record, connection_due: false } };
  expect(connectionsOf(state)).toEqual([null, null]);
});

test("the last update of a run with a Connection says that it waits for it", () => {
  const state = observedBy("followed", "refetch");
  const waits = toProgressUpdates(state, 0).map((update) => update.waits_for);
  expect(waits).toEqual([null, "connection"]);
});

test("toProgressUpdates returns only the updates after an entry", () => {
  const state = observedBy("held", "refetch", "held");
  expect(toProgressUpdates(state, 1).map(({ seq }) => seq)).toEqual([2, 3]);
});

function numbersOf(state: RunState) {
  return toProgressUpdates(state, 0).map(({ type, number }) => [type, number]);
}

/** A run whose record has observations by these channels, at the moments of `observedBy`. */
function recordedBy(...channels: Channel[]): RunState {
  const { record, ...rest } = observedBy(null, ...channels);
  const observations = channels.map((channel, index) => ({
    at: toTime(index + 1),
    channel,
    http_status: 200,
    status: "completed",
    request_id: null,
    calls: [],
  }));
  return { ...rest, record: { ...record, observations } };
}

test("an update has the number of its observation in the record", () => {
  expect(numbersOf(recordedBy("refetch", "stream"))).toEqual([
    ["started", null],
    ["observed", 1],
    ["observed", 2],
  ]);
});

test("an observation that failed and the one in its place have the same number, and so has one under way", () => {
  const state = ["observing", "failed", "observing"].reduce(
    (run, type) =>
      addProgress(run, type === "failed" ? "failed" : "observing", toTime(9), "refetch"),
    recordedBy("refetch"),
  );
  expect(numbersOf(state).slice(1)).toEqual([
    ["observed", 1],
    ["observing", 2],
    ["failed", null],
    ["observing", 2],
  ]);
});
