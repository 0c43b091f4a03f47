// A reader waits for the end of a run in flight, and asks for its status every second.
import { describe, expect, test } from "vitest";
import { transition } from "../../../src/record/transition.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import {
  runScenario,
  startAt,
  webhookAt,
  type AnswerScript,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const RUNNING: ScriptedAnswer = { http: 200, status: "in_progress" };
const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated", body: "a" };
const NOT_FOUND: ScriptedAnswer = { http: 404 };

type Scenario = NonNullable<Parameters<typeof runScenario>[1]>;

/** A run that nobody reports the end of, and its reader. */
function readUntil(to: number, script: AnswerScript, scenario: Scenario = {}) {
  const { events = [], ...rest } = scenario;
  const reads = Array.from({ length: to }, (_, at) => ({
    at,
    event: { type: "status_wanted" as const },
  }));
  return runScenario(script, { untilSeconds: to, ...rest, events: [...events, ...reads] });
}

test("the status is asked for every 10 seconds while a reader waits, and never without one", () => {
  expect(readUntil(60, () => RUNNING).observedAt).toEqual([10, 20, 30, 40, 50]);
  expect(runScenario(() => RUNNING, { untilSeconds: 119 }).observedAt).toEqual([]);
});

test("of a check that sees no end, only the status and its moment are kept", () => {
  const { record, costs, effects } = readUntil(35, () => RUNNING);
  expect(record).toMatchObject({
    status: "in_progress",
    status_at: toTime(30),
    observations: [],
    verdict: "pending",
    recorded_at: null,
  });
  const unread = runScenario(() => RUNNING, { untilSeconds: 35 });
  expect(unread.record).toMatchObject({ status: "queued", status_at: toTime(0) });
  // Two rows each, of its beginning and of its result.
  expect(costs.alarmsSet).toBe(unread.costs.alarmsSet);
  expect(costs.rows - unread.costs.rows).toBe(6);
  expect(effects.map(({ effect }) => effect.type)).toEqual([
    "list",
    "observe",
    "list",
    "observe",
    "observe",
  ]);
});

test("the end that a check sees is the first observation, and is asked for once", () => {
  const { record, observedAt, states } = readUntil(60, (seconds) =>
    seconds < 20 ? RUNNING : DONE,
  );
  expect(observedAt).toEqual([10, 20]);
  expect(record).toMatchObject({ status: "completed", verdict: "captured", status_at: toTime(20) });
  expect(record.observations).toMatchObject([{ at: toTime(20), status: "completed" }]);
  const last = states.at(-1);
  const types = last?.kind === "run" ? last.progress.map(({ type }) => type) : [];
  expect(types).toEqual(["started", "status_seen", "observing", "observed", "settled", "stored"]);
});

test("a check leaves the schedule as it is, and gives way to an observation that is due within 10 seconds", () => {
  const { observedAt, record } = readUntil(135, () => RUNNING);
  const checks = Array.from({ length: 11 }, (_, index) => (index + 1) * 10);
  // Without a webhook the response is observed after two minutes, and then after 2, 4 and 8 seconds.
  expect(observedAt).toEqual([...checks, 120, 122, 126, 134]);
  expect(record.observations.map(({ at }) => at)).toEqual([120, 122, 126, 134].map(toTime));
});

test("a webhook during a check is observed after it", () => {
  const { observedAt, record } = readUntil(30, (seconds) => (seconds < 12 ? RUNNING : DONE), {
    takes: 1,
    events: [webhookAt(10.5)],
  });
  expect(observedAt).toEqual([11, 12]);
  expect(record.observations).toMatchObject([{ at: toTime(12), status: "completed" }]);
});

test("a check that finds a response again after a 404 counts as an observation", () => {
  const { record } = readUntil(220, (seconds) => (seconds < 200 ? NOT_FOUND : RUNNING));
  expect(record.observations.at(-1)).toMatchObject({ http_status: 200, status: "in_progress" });
  expect(record.verdict).toBe("pending");
});

describe("a check that OpenAI does not answer with a response", () => {
  test.each<[string, ScriptedAnswer, number[]]>([
    ["is tried again after 10 seconds", { http: 500 }, [10, 20, 30, 40, 50, 60, 70, 80]],
    ["respects Retry-After", { http: 429, retryAfter: 35 }, [10, 45, 80]],
    ["is not tried again soon when the key is refused", { http: 401, refused: true }, [10]],
  ])("%s, and leaves no trace", (_, answer, observedAt) => {
    const result = readUntil(85, () => answer);
    expect(result.observedAt).toEqual(observedAt);
    expect(result.record).toMatchObject({
      status: "queued",
      status_at: toTime(0),
      observations: [],
      error: null,
    });
  });
});

test("a check whose object dies is not done again by its alarm, and by a reader only after 10 seconds", () => {
  const { observedAt, record } = readUntil(25, () => ({ http: 200, dies: "small" }), {
    untilSeconds: 119,
  });
  expect(observedAt).toEqual([10, 20]);
  expect(record.observations).toEqual([]);
});

test.each(["held", "followed"] as const)(
  "a %s run is not asked for: its Connection shows its status",
  (kind) => {
    const connection = { id: "connection", kind };
    expect(readUntil(100, () => RUNNING, { start: { connection } }).observedAt).toEqual([]);
  },
);

test("a reader of an unknown or a deleted run begins nothing", () => {
  const event = { type: "status_wanted" as const };
  expect(transition(null, event, 0)).toMatchObject({ state: null, effect: null, persist: false });
  const { observedAt } = readUntil(60, () => RUNNING, {
    events: [startAt(0), { at: 5, event: { type: "remove" } }],
  });
  expect(observedAt).toEqual([]);
});
