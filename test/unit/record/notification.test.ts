import { expect, test } from "vitest";
import type { CallEvent, Effect, RecorderEvent } from "../../../src/record/events.ts";
import { isDelivered } from "../../../src/record/notification.ts";
import type { Policy } from "../../../src/record/policy.ts";
import { State } from "../../../src/record/state.ts";
import { transition } from "../../../src/record/transition.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import {
  refetchAt,
  runScenario,
  TRIGGER_PARAMS,
  webhookAt,
  type ScenarioResult,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated", body: "a" };
const SUSPECT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty", body: "a" };
const RUNNING: ScriptedAnswer = { http: 200, status: "in_progress" };
const NOT_FOUND: ScriptedAnswer = { http: 404, refused: false };
const POLICY: Partial<Policy> = { notify: { origin: "https://recorder.test" } };
const WANTED = { policy: POLICY, events: [webhookAt(7)] };
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** Of the first attempts. */
const GAPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

type Notify = Extract<Effect, { type: "notify" }>;

function isNotify(effect: Effect): effect is Notify {
  return effect.type === "notify";
}

function findAttempts({ effects }: ScenarioResult): { at: number; event: Notify["event"] }[] {
  return effects.flatMap(({ at, effect }) =>
    isNotify(effect) ? [{ at, event: effect.event }] : [],
  );
}

function typesOf({ effects }: ScenarioResult): string[] {
  return effects.map(({ effect }) => effect.type);
}

/** What a receiver does that is down until a time. */
function downUntil(seconds: number, how: "failed" | "dies" = "failed") {
  return ({ type }: Effect, now: number) =>
    type === "notify" && now < seconds ? how : ("done" as const);
}

test("a run is notified once, when it is stored, and listed after that", () => {
  const result = runScenario(() => DONE, WANTED);
  expect(typesOf(result)).toEqual(["list", "observe", "store_record", "notify", "list"]);
  expect(findAttempts(result)).toEqual([
    {
      at: 7,
      event: {
        type: "response.completed",
        created_at: Date.parse(toTime(7)) / 1000,
        data: {
          id: "resp_1",
          verdict: "captured",
          result_url: "https://recorder.test/results/resp_1",
          metadata: {},
        },
      },
    },
  ]);
  expect(result.record.notification).toEqual({ at: toTime(7), status: 200, next_at: null });
});

test("a notification that is delivered at once costs two rows, and no write to KV", () => {
  const untilSeconds = 31 * DAY_SECONDS;
  const plain = runScenario(() => DONE, { events: [webhookAt(7)], untilSeconds });
  const { costs, stored } = runScenario(() => DONE, { ...WANTED, untilSeconds });
  expect(costs.rows - plain.costs.rows).toBeLessThanOrEqual(2);
  expect(costs.alarms).toBe(plain.costs.alarms);
  expect(stored.length).toBe(1);
});

test("without NOTIFY_URL nothing is notified", () => {
  const result = runScenario(() => DONE, { events: [webhookAt(7)] });
  expect(findAttempts(result)).toEqual([]);
  expect(result.record.notification).toBeNull();
});

test.each([
  ["completed", "response.completed"],
  ["failed", "response.failed"],
  ["incomplete", "response.incomplete"],
  ["cancelled", "response.cancelled"],
])("a %s response is notified as %s", (status, type) => {
  const [attempt] = findAttempts(runScenario(() => ({ ...DONE, status }), WANTED));
  expect(attempt?.event.type).toBe(type);
});

test("an abandoned run is notified as response.failed, and its late end not again", () => {
  const result = runScenario((seconds) => (seconds < 3 * DAY_SECONDS ? RUNNING : DONE), {
    policy: POLICY,
    events: [refetchAt(4 * DAY_SECONDS)],
  });
  expect(result.record.verdict).toBe("captured");
  const attempts = findAttempts(result);
  expect(attempts.map(({ event }) => [event.type, event.data.verdict])).toEqual([
    ["response.failed", "abandoned"],
  ]);
  expect(attempts[0]?.at).toBeGreaterThanOrEqual(DAY_SECONDS);
});

test("a response that was not found is not notified, and one that is found later is", () => {
  const start = { started_by: "refetch" as const, created: null, options: null };
  const scenario = { policy: POLICY, start, events: [refetchAt(0)] };
  const missing = runScenario(() => NOT_FOUND, scenario);
  expect(missing.record.verdict).toBe("not_found");
  expect(findAttempts(missing)).toEqual([]);
  const found = runScenario((seconds) => (seconds < 900 ? NOT_FOUND : DONE), {
    ...scenario,
    events: [refetchAt(0), refetchAt(900)],
  });
  expect(findAttempts(found).map(({ at }) => at)).toEqual([900]);
});

test("an external response is notified only if it is recorded", () => {
  const scenario = { start: null, events: [webhookAt(0)] };
  const recorded = runScenario(() => DONE, { ...scenario, policy: POLICY });
  expect(findAttempts(recorded).length).toBe(1);
  const policy = { ...POLICY, record_external: false };
  expect(findAttempts(runScenario(() => DONE, { ...scenario, policy }))).toEqual([]);
});

test("a held run is notified when its Connection was read, not when a refetch sees its end", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const ended: CallEvent = { type: "connection_ended", params: { ...TRIGGER_PARAMS, connection } };
  const result = runScenario(
    (_, count) => (count === 1 ? SUSPECT : { ...DONE, body: "b", brokeAt: null }),
    {
      policy: POLICY,
      start: { connection },
      events: [webhookAt(0), { at: 5, event: ended }],
    },
  );
  const attempts = findAttempts(result);
  expect(attempts.map(({ at }) => at)).toEqual([5]);
  expect(attempts[0]?.event.data.verdict).toBe("captured");
});

test("a receiver that is down is tried after 1, 2, 4 … s, then every four hours, with the verdict of the time", () => {
  const result = runScenario((seconds) => (seconds < 60 ? SUSPECT : { ...DONE, body: "b" }), {
    ...WANTED,
    effects: downUntil(DAY_SECONDS),
  });
  const attempts = findAttempts(result);
  const gaps = attempts.slice(1).map(({ at }, index) => at - (attempts[index]?.at ?? 0));
  expect(gaps.slice(0, GAPS.length)).toEqual(GAPS);
  expect(Math.max(...gaps)).toBe(4 * HOUR_SECONDS);
  const verdicts = attempts.map(({ event }) => event.data.verdict);
  expect([verdicts[0], verdicts.at(-1)]).toEqual(["suspect", "recovered"]);
  expect(new Set(attempts.map(({ event }) => event.created_at)).size).toBe(1);
  expect(result.record.notification).toMatchObject({ status: 200, next_at: null });
});

test("a receiver that stays down is given up after 72 hours", () => {
  const result = runScenario(() => DONE, { ...WANTED, effects: downUntil(Infinity) });
  const attempts = findAttempts(result);
  const last = attempts.at(-1)?.at ?? 0;
  expect(last).toBeGreaterThan(67 * HOUR_SECONDS);
  expect(last).toBeLessThan(72 * HOUR_SECONDS + 7);
  expect(attempts.length).toBeLessThan(40);
  expect(result.record.notification).toEqual({ at: toTime(last), status: null, next_at: null });
  // One write each for the attempt and its result, and two alarms.
  expect(result.costs.rows).toBeLessThan(4 * attempts.length + 30);
});

test("between two attempts the record says when the next one is", () => {
  const result = runScenario(() => DONE, {
    ...WANTED,
    effects: downUntil(Infinity),
    untilSeconds: 12,
  });
  expect(result.record.notification).toEqual({
    at: toTime(10),
    status: null,
    next_at: toTime(14),
  });
});

test("a receiver is tried at most until the record expires", () => {
  const policy = { ...POLICY, retention_seconds: HOUR_SECONDS };
  const result = runScenario(() => DONE, { ...WANTED, policy, effects: downUntil(Infinity) });
  expect(findAttempts(result).at(-1)?.at).toBeLessThan(HOUR_SECONDS);
  expect(result.record.notification?.next_at).toBeNull();
  expect(result.state).toBeNull();
});

test("a deleted run is not notified any more", () => {
  const result = runScenario(() => DONE, {
    policy: POLICY,
    events: [webhookAt(7), { at: 20, event: { type: "remove" } }],
    effects: downUntil(Infinity),
  });
  expect(findAttempts(result).at(-1)?.at).toBeLessThan(20);
});

test("an attempt that died with its object is made again", () => {
  const result = runScenario(() => DONE, { ...WANTED, effects: downUntil(8, "dies") });
  const attempts = findAttempts(result);
  expect(attempts.length).toBe(2);
  expect(new Set(attempts.map(({ event }) => JSON.stringify(event))).size).toBe(1);
  expect(result.record.notification).toMatchObject({ status: 200, next_at: null });
});

test("while a receiver is down the Catalog knows when the run is due", () => {
  const result = runScenario(() => DONE, { ...WANTED, effects: downUntil(DAY_SECONDS) });
  const dues = result.effects.flatMap(({ at, effect }) =>
    effect.type === "list" ? [{ at, due: effect.dueMs }] : [],
  );
  const expiry = Date.parse(result.record.expires_at);
  const early = dues.filter(({ due }) => due < expiry && due > Date.parse(toTime(1_000)));
  expect(early.length).toBeGreaterThan(0);
  expect(dues.length).toBeLessThan(20);
  expect(dues.at(-1)?.due).toBe(expiry);
});

test("states with a notification can be read back, and a state from before has none", () => {
  const { states } = runScenario(() => DONE, { ...WANTED, effects: downUntil(60) });
  for (const state of states.filter((one) => one !== null)) {
    expect(State.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  }
  const older = JSON.stringify(states[0], (name, value: unknown) =>
    name === "notification" || name === "notify" ? undefined : value,
  );
  const read = State.parse(JSON.parse(older));
  expect(read).toMatchObject({ notification: null, record: { notification: null } });
});

test("no attempt is made while another effect is under way", () => {
  const result = runScenario((_, count) => (count > 2 ? DONE : SUSPECT), {
    ...WANTED,
    takes: 3,
    effects: downUntil(60),
  });
  const ends = result.effects.map(({ at }, index) => at - (result.effects[index - 1]?.at ?? -3));
  expect(Math.min(...ends)).toBeGreaterThanOrEqual(3);
});

test.each([
  [200, true],
  [204, true],
  [299, true],
  [302, false],
  [404, false],
  [500, false],
  [null, false],
])("a receiver that answers %s has the event: %s", (status, expected) => {
  expect(isDelivered(status)).toBe(expected);
});

test("a redirect counts as a failure", () => {
  const { states } = runScenario(() => DONE, { ...WANTED, takes: 1, untilSeconds: 60 });
  const notifying = states.find((state) => state?.running?.type === "notify");
  if (notifying?.kind !== "run") throw new Error("It was not notified.");
  const event: RecorderEvent = { type: "notified", turn: notifying.turn, status: 302 };
  const { state } = transition(notifying, event, Date.parse(toTime(20)));
  expect(state).toMatchObject({
    notification: { is_over: false },
    record: { notification: { status: 302, next_at: toTime(21) } },
  });
});
