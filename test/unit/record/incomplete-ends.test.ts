// Ends whose first answers lack something.
import { describe, expect, test } from "vitest";
import {
  refetchAt,
  runScenario,
  TRIGGER_PARAMS,
  webhookAt,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated" };
const SUSPECT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty" };
const NOT_FOUND: ScriptedAnswer = { http: 404, refused: false };

/** The moments of the schedule after an end that is seen at 0. */
const DELAYED = [0, 5, 25, 85, 265, 565];
const SILENT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty", code: "x = 1" };
const LACKING: [string, ScriptedAnswer][] = [
  [
    "without items, though tokens were produced",
    { ...SILENT, outputs: undefined, lacksItems: true },
  ],
  ["with a call that is interpreting", { ...SILENT, callStatus: "interpreting" }],
];

describe.each(LACKING)("a first answer after the end %s", (_, answer) => {
  const options = { events: [webhookAt(0)] };

  test("is followed by others at the delays until one has all", () => {
    const result = runScenario((seconds) => (seconds < 85 ? answer : DONE), options);
    expect(result.observedAt).toEqual(DELAYED.slice(0, 4));
    expect(result.record).toMatchObject({ verdict: "recovered", awaits_items: false });
  });

  test("is followed by others however long ago the response ended", () => {
    const old = { ...answer, completedAt: -4_000 };
    const result = runScenario(() => old, options);
    expect(result.observedAt).toEqual(DELAYED);
  });

  test("is taken as it is after the last delay", () => {
    const result = runScenario(() => answer, options);
    expect(result.observedAt).toEqual(DELAYED);
    expect(result.record.settled_at).not.toBeNull();
  });

  test.each(["failed", "cancelled", "incomplete"])("is usual when the response is %s", (status) => {
    const result = runScenario(() => ({ ...answer, status }), options);
    expect(result.observedAt).toEqual([0]);
  });

  test("does not replace a body that had all", () => {
    const whole = { ...SILENT, outputs: "populated" as const, body: "whole" };
    const result = runScenario((seconds) => (seconds < 5 ? whole : { ...answer, body: "less" }), {
      events: [webhookAt(0), refetchAt(50)],
    });
    expect(result.observedAt).toEqual([0, 50]);
    expect(result.record).toMatchObject({ verdict: "captured", body: { digest: "whole" } });
  });
});

test("a call that an answer before the end had, and the first after it lacks, is waited for", () => {
  const running: ScriptedAnswer = { ...SILENT, status: "in_progress", callStatus: "interpreting" };
  const without: ScriptedAnswer = { http: 200, status: "completed" };
  const result = runScenario(
    (_, observation) => (observation === 1 ? running : observation < 4 ? without : DONE),
    { events: [webhookAt(0)] },
  );
  expect(result.observedAt).toEqual([0, 2, 7, 27]);
  expect(result.record).toMatchObject({ verdict: "recovered", calls: [{ id: "ci_1" }] });
});

test("a 404 after an answer that had the end only ends the schedule", () => {
  const result = runScenario((seconds) => (seconds < 5 ? SUSPECT : NOT_FOUND), {
    events: [webhookAt(0)],
  });
  expect(result.observedAt).toEqual([0, 5]);
  expect(result.record).toMatchObject({ verdict: "suspect", status: "completed" });
});

test("a response without items is replaced by a whole one, also when a stream had outputs that it lacks", () => {
  const connection = { id: "connection_1", kind: "followed" } as const;
  const params = { ...TRIGGER_PARAMS, connection };
  const bare: ScriptedAnswer = { http: 200, status: "completed", lacksItems: true, body: "bare" };
  const whole: ScriptedAnswer = { ...SUSPECT, body: "whole" };
  // A stream that broke shows its calls, and no response.
  const broken: ScriptedAnswer = {
    http: 200,
    outputs: "populated",
    brokeAt: "7 x",
    hasOutputs: true,
  };
  const result = runScenario(
    (_, number, channel) => (channel === "stream" ? broken : number === 1 ? bare : whole),
    { start: { connection }, events: [{ at: 9, event: { type: "connection_ended", params } }] },
  );
  expect(result.channels).toEqual(["refetch", "stream", "refetch"]);
  expect(result.record).toMatchObject({
    verdict: "recovered",
    calls: [{ source: "stream", state: "populated" }],
    body: { digest: "whole" },
  });
});
