import { expect, test } from "vitest";
import type { CallEvent } from "../../../src/record/events.ts";
import {
  createWebhook,
  refetchAt,
  runScenario,
  startAt,
  TRIGGER_PARAMS,
  webhookAt,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated" };
const SUSPECT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty" };
const RUNNING: ScriptedAnswer = { http: 200, status: "in_progress" };
const NOT_FOUND: ScriptedAnswer = { http: 404, refused: false };
const DAY_SECONDS = 24 * 60 * 60;

const CREATED = { status: "queued", model: "m", background: true, created_at: null };
/** A Recorder that the webhook of an external response starts. */
const EXTERNAL = {
  started_by: "webhook",
  created: null,
  options: null,
  webhook: createWebhook(0),
} as const;

/** The seconds between times. */
function toGaps(times: number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

test("a webhook leads to one observation, one stored record and two writes to the list", () => {
  const result = runScenario(() => DONE, { events: [webhookAt(7)] });
  expect(result.observedAt).toEqual([7]);
  expect(result.stored).toMatchObject([{ verdict: "captured" }]);
  expect(result.listed.map((record) => record.verdict)).toEqual(["pending", "captured"]);
  const types = result.effects.map(({ effect }) => effect.type);
  expect(types).toEqual(["list", "observe", "store_record", "list"]);
});

test("without a webhook the first observation is at the deadline", () => {
  const result = runScenario(() => DONE);
  expect(result.observedAt).toEqual([120]);
});

test("a response in progress is observed at growing gaps of at most 5 minutes", () => {
  const result = runScenario((seconds) => (seconds > 7200 ? DONE : RUNNING));
  expect(toGaps(result.observedAt).slice(0, 9)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300]);
  expect(Math.max(...toGaps(result.observedAt))).toBe(300);
  expect(result.record.verdict).toBe("captured");
});

test("gaps are at most 30 s when the effective store is false", () => {
  const created = { ...CREATED, store: false };
  const result = runScenario((seconds) => (seconds > 3000 ? DONE : RUNNING), {
    start: { created },
  });
  expect(Math.max(...toGaps(result.observedAt))).toBe(30);
});

test("a webhook cuts a gap short, even after the deadline", () => {
  const result = runScenario((seconds) => (seconds >= 1000 ? DONE : RUNNING), {
    events: [webhookAt(1000)],
  });
  expect(result.observedAt.at(-1)).toBe(1000);
});

test("the gaps start over after a webhook", () => {
  const result = runScenario((seconds) => (seconds > 1001 ? DONE : RUNNING), {
    events: [webhookAt(1000)],
  });
  expect(result.observedAt.slice(-2)).toEqual([1000, 1002]);
});

test("a refused observation is repeated every 5 minutes, and the record recovers", () => {
  const refusal: ScriptedAnswer = { http: 401, refused: true };
  const result = runScenario((seconds) => (seconds > 2000 ? DONE : refusal));
  expect(new Set(toGaps(result.observedAt))).toEqual(new Set([300]));
  expect(result.stored.at(-1)).toMatchObject({ verdict: "captured", error: null });
});

test("a 404 of a known response is repeated after 2, 4, 8 … s: it can be missing for half a minute after its end", () => {
  const result = runScenario((seconds) => (seconds > 150 ? DONE : NOT_FOUND), {
    events: [webhookAt(100)],
  });
  expect(toGaps(result.observedAt)).toEqual([2, 4, 8, 16, 32]);
  expect(result.stored).toMatchObject([{ verdict: "captured" }]);
});

test("recorded_at is when a record was first stored, and updated_at the last time", () => {
  const result = runScenario((_, observation) => (observation > 2 ? DONE : SUSPECT), {
    events: [webhookAt(0)],
  });
  const first = result.record.observations[0]?.at;
  const last = result.record.observations.at(-1)?.at;
  expect(result.record).toMatchObject({ recorded_at: first, updated_at: last });
  expect(last).not.toBe(first);
});

test("Retry-After is honoured, up to 5 minutes", () => {
  const result = runScenario((_, observation) =>
    observation > 2 ? DONE : { http: 429, retryAfter: observation === 1 ? 50 : 9000 },
  );
  expect(toGaps(result.observedAt)).toEqual([50, 300]);
});

test("an external response that is 404 for a minute ends as not_found, and is not listed", () => {
  const result = runScenario(() => NOT_FOUND, { start: EXTERNAL });
  expect(result.record.verdict).toBe("not_found");
  expect(result.observedAt[0]).toBe(0);
  expect(result.observedAt.at(-1)).toBeGreaterThanOrEqual(60);
  expect(result.observedAt.at(-1)).toBeLessThan(120);
  expect(result.listed).toEqual([]);
});

test("a response whose trigger arrives after 404s never ends as not_found", () => {
  const result = runScenario((seconds) => (seconds < 100 ? NOT_FOUND : DONE), {
    start: { started_by: "webhook", created: null, options: null, request: null },
    events: [startAt(30)],
  });
  expect(result.stored).toMatchObject([{ verdict: "captured", started_by: "trigger" }]);
});

test.each([true, false])(
  "a response that never ends is abandoned after a day, within 1,000 observations (store: %s)",
  (store) => {
    const start = { created: { ...CREATED, store } };
    const result = runScenario(() => RUNNING, { start });
    expect(result.record.verdict).toBe("abandoned");
    expect(result.observedAt.at(-1)).toBe(DAY_SECONDS);
    expect(result.observedAt.length).toBeLessThan(1000);
    expect(result.stored).toMatchObject([{ verdict: "abandoned", status: "in_progress" }]);
  },
);

test("an external response leaves nothing behind when record_external is off", () => {
  const result = runScenario(() => DONE, {
    start: EXTERNAL,
    policy: { record_external: false },
  });
  expect(result).toMatchObject({ stored: [], listed: [], state: null });
});

test("a thousand webhooks in flight cause one observation each", () => {
  const events = Array.from({ length: 1000 }, (_, index) => webhookAt(index));
  const result = runScenario((seconds) => (seconds > 1000 ? DONE : RUNNING), { events });
  expect(result.observedAt.length).toBeLessThan(1100);
  expect(result.record.verdict).toBe("captured");
});

test("300 webhooks after the end settle the record, and it is stored as settled", () => {
  const events = Array.from({ length: 300 }, (_, index) => webhookAt(1 + index));
  const result = runScenario(() => SUSPECT, { events });
  expect(result.stored.at(-1)).toMatchObject({ verdict: "suspect" });
  expect(result.stored.at(-1)?.settled_at).not.toBeNull();
});

test("a suspect response is observed again at the configured delays, and stored at its end and when it settles", () => {
  const result = runScenario(() => SUSPECT, { events: [webhookAt(0)] });
  expect(result.observedAt).toEqual([0, 5, 25, 85, 265, 565]);
  expect(result.stored.map((record) => record.settled_at !== null)).toEqual([false, true]);
  expect(result.record.verdict).toBe("suspect");
});

test("observations after the end stop as soon as the outputs are there", () => {
  const result = runScenario((seconds) => (seconds >= 25 ? DONE : SUSPECT), {
    events: [webhookAt(0)],
  });
  expect(result.observedAt).toEqual([0, 5, 25]);
  expect(result.record.verdict).toBe("recovered");
});

test("no observation is later than 570 s after the end when the effective store is false", () => {
  const created = { ...CREATED, store: false };
  const policy = { delays_seconds: [60, 500, 600, 600] };
  const result = runScenario(() => SUSPECT, {
    events: [webhookAt(0)],
    start: { created },
    policy,
  });
  expect(result.observedAt).toEqual([0, 60, 560]);
});

test("webhooks after the end cause no observation and no delay", () => {
  const events = [0, 1, 2, 3, 30, 40].map((seconds) => webhookAt(seconds));
  const result = runScenario(() => SUSPECT, { events });
  expect(result.observedAt).toEqual([0, 5, 25, 85, 265, 565]);
});

test("a control that ends early moves no observation", () => {
  const result = runScenario(() => DONE, {
    start: { control: "connection_2" },
    events: [{ at: 119, event: { type: "control_ended" } }],
    control: () => ({
      observation: null,
      control: { id: null, status: "refused", calls: [] },
    }),
  });
  expect(result.controlAskedAt).toEqual([119]);
  expect(result.observedAt).toEqual([120]);
});

test("copied files move no observation", () => {
  const answer = { ...SUSPECT, containers: ["cntr_1"] };
  const file = { id: "file_1", container_id: "cntr_1", filename: "a", bytes: 1 };
  const files = [{ ...file, url: null, reason: null }];
  const result = runScenario(() => answer, { events: [webhookAt(0)], files });
  expect(result.record.files).toMatchObject([{ url: "/results/resp_1/files/file_1" }]);
  expect(result.observedAt).toEqual([0, 5, 25, 85, 265, 565]);
});

test("a Connection that is none of the run's moves no observation", () => {
  const event: CallEvent = { type: "connection_ended", params: TRIGGER_PARAMS };
  const result = runScenario(() => SUSPECT, { events: [webhookAt(1), { at: 300, event }] });
  const without = runScenario(() => SUSPECT, { events: [webhookAt(1)] });
  expect(result.observedAt).toEqual(without.observedAt);
});

test("a Connection that first reports after the end is asked for what it brought", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const params = { ...TRIGGER_PARAMS, connection };
  const result = runScenario(() => ({ ...DONE, brokeAt: null }), {
    start: EXTERNAL,
    events: [{ at: 10, event: { type: "connection_ended", params } }],
  });
  expect(result.channels).toEqual(["refetch", "held"]);
});

test("an end after a run was abandoned is observed like any other", () => {
  const result = runScenario((seconds) => (seconds < 90_000 ? RUNNING : SUSPECT), {
    events: [webhookAt(90_000)],
  });
  expect(result.stored[0]?.verdict).toBe("abandoned");
  expect(result.record.verdict).toBe("suspect");
  expect(result.observedAt.filter((seconds) => seconds >= 90_000).length).toBeGreaterThan(1);
});

test("a control that was opened and never reports is asked for after a day, and delays no observation", () => {
  const control = { id: "resp_2", status: "interrupted", calls: [] };
  const result = runScenario(() => SUSPECT, {
    start: { control: "connection_2" },
    events: [webhookAt(0), { at: 1, event: { type: "control_opened" } }],
    control: () => ({ observation: null, control }),
  });
  expect(result.observedAt).toEqual([0, 5, 25, 85, 265, 565]);
  expect(result.controlAskedAt).toEqual([DAY_SECONDS]);
  expect(result.stored.at(-1)?.control).toMatchObject({ status: "interrupted" });
  expect(result.stored.at(-1)?.settled_at).not.toBeNull();
});

test("a control that was never opened is asked for after a minute, and ends as not_run", () => {
  const result = runScenario(() => DONE, {
    start: { control: "connection_2" },
    events: [webhookAt(0)],
  });
  expect(result.controlAskedAt).toEqual([60]);
  expect(result.record.control).toMatchObject({ id: null, status: "not_run" });
});

test("a control that still runs when it is asked for is waited for", () => {
  const control = { id: "resp_2", status: "completed", calls: [] };
  const result = runScenario(() => DONE, {
    start: { control: "connection_2" },
    events: [webhookAt(0), { at: 3_000, event: { type: "control_ended" } }],
    control: (seconds) => (seconds < 3_000 ? null : { observation: null, control }),
  });
  expect(result.controlAskedAt).toEqual([60, 3_000]);
  expect(result.record.control?.status).toBe("completed");
});

test("a run is polled every 5 minutes while its Connection reads, and is asked for its end", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const result = runScenario(
    (seconds, _, channel) => {
      if (channel === "held") return { ...DONE, brokeAt: null };
      return seconds < 700 ? RUNNING : DONE;
    },
    { start: { connection } },
  );
  expect(result.observedAt).toEqual([300, 600, 900, 960]);
  expect(result.channels.at(-1)).toBe("held");
});

test("before a run is abandoned its Connections are read: they may have lost their alarms", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const call: ScriptedAnswer = {
    http: 200,
    outputs: "populated",
    brokeAt: "3 response.output_item.done",
  };
  const result = runScenario((_, __, channel) => (channel === "held" ? call : RUNNING), {
    start: { connection, control: "connection_2" },
    events: [{ at: 1, event: { type: "control_opened" } }],
    control: () => ({
      observation: null,
      control: { id: "resp_2", status: "interrupted", calls: [] },
    }),
  });
  expect(result.channels.filter((channel) => channel === "held")).toEqual(["held"]);
  expect(result.controlAskedAt).toEqual([DAY_SECONDS + 60]);
  expect(result.record).toMatchObject({
    verdict: "abandoned",
    connection_due: false,
    control: { status: "interrupted" },
  });
});

test("a refetch by hand observes at once", () => {
  const result = runScenario(() => SUSPECT, { events: [webhookAt(0), refetchAt(100)] });
  expect(result.observedAt).toEqual([0, 5, 25, 85, 100, 265, 565]);
});

test("when the trigger of a faster webhook never arrives, one more observation settles the record, whatever it shows", () => {
  const start = { started_by: "webhook", webhook: createWebhook(0), request: null } as const;
  const result = runScenario((seconds) => (seconds < 5 ? { ...DONE, ours: true } : NOT_FOUND), {
    start,
  });
  expect(result.observedAt).toEqual([0, 10]);
  expect(result.stored.at(-1)).toMatchObject({ verdict: "captured", started_by: "webhook" });
});
