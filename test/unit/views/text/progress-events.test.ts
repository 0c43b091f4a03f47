import { describe, expect, test } from "vitest";
import type { ProgressUpdate } from "../../../../src/record/progress.ts";
import type { Observation } from "../../../../src/record/schema.ts";
import { formatProgress, formatWait } from "../../../../src/views/text/progress-events.ts";

const AT = "2026-11-26T12:00:00.000Z";
const UPDATE: ProgressUpdate = {
  seq: 1,
  at: AT,
  type: "started",
  channel: null,
  observation: null,
  broke_at: null,
  connection: null,
  number: null,
  status: "queued",
  verdict: "pending",
  waits_for: null,
};

function observed(
  channel: Observation["channel"],
  status: string | null,
  given: Partial<ProgressUpdate>,
): ProgressUpdate {
  const observation = {
    at: AT,
    channel,
    http_status: 200,
    status,
    request_id: null,
    calls: [{ id: "ci_1", outputs: "populated" as const }],
  };
  return { ...UPDATE, type: "observed", channel, observation, number: 1, ...given };
}

test.each([
  { connection: null, text: "Created; the Recorder has started" },
  { connection: "held", text: "Created; the connection to OpenAI is held" },
  { connection: "followed", text: "Created; its stream is followed" },
] as const)("formatProgress names what a run with connection $connection begins with", (given) => {
  expect(formatProgress({ ...UPDATE, connection: given.connection })?.text).toBe(given.text);
});

test.each([
  { connection: "held", text: "Holding the connection until the run's end" },
  { connection: "followed", text: "The stream is followed until the run's end" },
] as const)("formatWait names the wait for a $connection run's Connection", (given) => {
  const { connection, text } = given;
  const wait = formatWait({ ...UPDATE, connection, waits_for: "connection" });
  expect(wait).toMatchObject({ text, stage: 2, tone: "busy" });
});

test("formatWait returns null when the Recorder works", () => {
  expect(formatWait(UPDATE)).toBeNull();
});

describe("formatProgress of an observation", () => {
  test("names the event at which a held connection broke", () => {
    const broke = observed("held", "in_progress", { connection: "held", broke_at: "7 response.x" });
    expect(formatProgress(broke)).toMatchObject({
      text: "The connection broke at 7 response.x: HTTP 200, in progress, has outputs",
      tone: "warn",
    });
  });

  test.each([
    {
      status: "completed",
      words: "completed",
      end: "The stream was followed to its end",
      tone: "neutral",
    },
    {
      status: "in_progress",
      words: "in progress",
      end: "The stream broke before the run's end, and the run is fetched by its id",
      tone: "warn",
    },
  ])("tells how a followed stream with status $status ended", ({ status, words, end, tone }) => {
    const text = `${end}: HTTP 200, ${words}, has outputs`;
    const update = observed("stream", status, { connection: "followed" });
    expect(formatProgress(update)).toMatchObject({ text, tone, stage: 3, changed: true });
  });

  test("calls a stream without a Connection a check", () => {
    const text = "Check 1: from its stream: HTTP 200, completed, has outputs";
    expect(formatProgress(observed("stream", "completed", {}))?.text).toBe(text);
  });

  test("stays in the stage of the Connection while that is not read", () => {
    const update = observed("refetch", "in_progress", { connection: "followed" });
    expect(formatProgress(update)?.stage).toBe(2);
  });
});

test.each([
  { status: "completed", text: "The control ended: HTTP 200, completed, has outputs" },
  {
    status: "in_progress",
    text: "The control was interrupted: HTTP 200, in progress, has outputs",
  },
])("formatProgress of a control with status $status says how it ended", ({ status, text }) => {
  const update = observed("control", status, { type: "control_ended" });
  expect(formatProgress(update)?.text).toBe(text);
});

test("formatProgress of a control that was not sent says so", () => {
  const update: ProgressUpdate = { ...UPDATE, type: "control_ended", channel: "control" };
  expect(formatProgress(update)?.text).toBe("The control did not run");
});
