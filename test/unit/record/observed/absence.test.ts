// Responses that OpenAI answers with 404.
import { describe, expect, test } from "vitest";
import type { Policy } from "../../../../src/record/policy.ts";
import { toTime } from "../../../resilience/simulation/clock.ts";
import {
  createWebhook,
  refetchAt,
  runScenario,
  startAt,
  TRIGGER_PARAMS,
  webhookAt,
  type ScriptedAnswer,
} from "../scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated" };
const RUNNING: ScriptedAnswer = { http: 200, status: "in_progress" };
const NOT_FOUND: ScriptedAnswer = { http: 404, refused: false };
const FAILED: ScriptedAnswer = { http: 500 };
const DEADLINE_SECONDS = 120;

/** A Recorder that the webhook of an external response starts. */
const EXTERNAL = {
  started_by: "webhook",
  created: null,
  options: null,
  webhook: createWebhook(0),
} as const;

function toGaps(times: number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

test("a response that a create's answer showed is gone after 10 minutes of 404, asked for after 2, 4, 8 … s", () => {
  const result = runScenario(() => NOT_FOUND);
  expect(result.record).toMatchObject({ verdict: "gone", status: "queued" });
  expect(toGaps(result.observedAt)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 90]);
  expect(result.record.settled_at).toBe(toTime(DEADLINE_SECONDS + 600));
  expect(result.stored).toMatchObject([{ verdict: "gone" }]);
  expect(result.listed.at(-1)).toMatchObject({ verdict: "gone" });
});

test("a response that vanishes after hours is gone after 10 minutes, and asked for early again at the first 404", () => {
  const result = runScenario((seconds) => (seconds < 5_000 ? RUNNING : NOT_FOUND));
  const missing = result.observedAt.filter((seconds) => seconds >= 5_000);
  expect(toGaps(missing)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 90]);
  expect(result.record).toMatchObject({ verdict: "gone", status: "in_progress" });
});

test("after a webhook a response that was seen is gone after 2 minutes of 404", () => {
  const result = runScenario(() => NOT_FOUND, { events: [webhookAt(30)] });
  expect(result.observedAt).toEqual([30, 32, 36, 44, 60, 92, 150]);
  expect(result.record).toMatchObject({ verdict: "gone", webhook: { id: "wh_1" } });
});

test("a webhook after the first 404 ends the wait after 2 minutes, or the 10 are over before", () => {
  const early = runScenario(() => NOT_FOUND, { events: [webhookAt(200)] });
  expect(early.observedAt.at(-1)).toBe(320);
  const late = runScenario(() => NOT_FOUND, { events: [webhookAt(700)] });
  expect(late.observedAt.at(-1)).toBe(DEADLINE_SECONDS + 600);
});

test("an external response that was seen is gone, and one that was not is not_found", () => {
  const seen = runScenario((_, number) => (number === 1 ? RUNNING : NOT_FOUND), {
    start: EXTERNAL,
  });
  expect(seen.record).toMatchObject({ verdict: "gone", started_by: "webhook" });
  expect(seen.observedAt.at(-1)).toBe(122);
  const unseen = runScenario((_, number) => (number === 2 ? FAILED : NOT_FOUND), {
    start: EXTERNAL,
  });
  expect(unseen.record.verdict).toBe("not_found");
});

test.each([401, 429, 500, null])(
  "answers that say nothing of the response, such as %s, delay the verdict and give no run up",
  (http) => {
    const answer: ScriptedAnswer = { http, refused: http === 401 };
    const result = runScenario((_, number) => (number % 2 === 0 ? answer : NOT_FOUND));
    expect(result.record.verdict).toBe("gone");
    expect(result.record.observations.at(-1)?.http_status).toBe(404);
    const endless = runScenario((seconds) => (seconds < 200 ? NOT_FOUND : answer));
    expect(endless.record.verdict).toBe("abandoned");
  },
);

test("a response that is found again within 10 minutes starts the time over", () => {
  const result = runScenario((seconds) => (seconds > 500 && seconds < 700 ? RUNNING : NOT_FOUND));
  expect(result.record.verdict).toBe("gone");
  expect(result.observedAt.at(-1)).toBeGreaterThanOrEqual(1_300);
});

describe("a run that is gone", () => {
  test.each([webhookAt, refetchAt])(
    "has its end when the response appears after all (%#)",
    (at) => {
      const result = runScenario((seconds) => (seconds < 5_000 ? NOT_FOUND : DONE), {
        events: [at(6_000)],
      });
      expect(result.stored.map(({ verdict }) => verdict)).toEqual(["gone", "captured"]);
      expect(result.record).toMatchObject({ status: "completed", verdict: "captured" });
    },
  );

  test("is in flight again when a refetch by hand sees it run", () => {
    const result = runScenario(
      (seconds) => (seconds < 5_000 ? NOT_FOUND : seconds < 7_000 ? RUNNING : DONE),
      { events: [refetchAt(6_000)] },
    );
    const verdicts = result.listed.map(({ verdict }) => verdict);
    expect(verdicts.slice(-3)).toEqual(["gone", "pending", "captured"]);
  });

  test("stays gone when the refetch is answered with 404", () => {
    const result = runScenario(() => NOT_FOUND, { events: [refetchAt(6_000)] });
    expect(result.observedAt.at(-1)).toBe(6_000);
    expect(result.record).toMatchObject({ verdict: "gone", settled_at: toTime(6_000) });
  });

  test("is said to be so while its control still runs, and is settled after that", () => {
    const control = { id: "resp_2", status: "completed", calls: [] };
    const result = runScenario(() => NOT_FOUND, {
      start: { control: "connection_2" },
      events: [
        { at: 1, event: { type: "control_opened" } },
        { at: 3_000, event: { type: "control_ended" } },
      ],
      control: () => ({ observation: null, control }),
    });
    expect(result.stored[0]).toMatchObject({ verdict: "gone", settled_at: null, control: null });
    expect(result.record).toMatchObject({ verdict: "gone", control: { status: "completed" } });
    expect(result.record.settled_at).not.toBeNull();
  });
});

describe("a run with a Connection", () => {
  const connection = { id: "connection_1", kind: "held" } as const;
  const params = { ...TRIGGER_PARAMS, connection, policy: TRIGGER_PARAMS.policy satisfies Policy };
  const BROKEN: ScriptedAnswer = { http: 200, brokeAt: "3 error", hasOutputs: true };

  test("is not gone while that is open, whatever a refetch is answered", () => {
    const result = runScenario(
      (_, __, channel) => (channel === "held" ? DONE_BY_HELD : NOT_FOUND),
      {
        start: { connection },
        events: [{ at: 9_000, event: { type: "connection_ended", params } }],
      },
    );
    expect(result.record).toMatchObject({ verdict: "captured", status: "completed" });
  });

  test("is gone after 2 minutes of 404 when that broke, and keeps the words of its error", () => {
    const error = { code: "insufficient_quota", message: "You exceeded your current quota." };
    const result = runScenario(
      (_, __, channel) => (channel === "held" ? { ...BROKEN, error } : NOT_FOUND),
      {
        start: { connection },
        events: [{ at: 10, event: { type: "connection_ended", params } }],
      },
    );
    expect(result.observedAt).toEqual([10, 11, 13, 17, 25, 41, 73, 131]);
    expect(result.record).toMatchObject({ verdict: "gone", error, held: { broke_at: "3 error" } });
  });
});

const DONE_BY_HELD: ScriptedAnswer = { ...DONE, brokeAt: null };

test("a start that comes late makes a run known that was not found", () => {
  const result = runScenario((seconds) => (seconds < 300 ? NOT_FOUND : DONE), {
    start: EXTERNAL,
    events: [startAt(250)],
  });
  expect(result.record).toMatchObject({ verdict: "captured", started_by: "trigger" });
});
