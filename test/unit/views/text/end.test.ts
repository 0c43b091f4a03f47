import { expect, test } from "vitest";
import type { Observation } from "../../../../src/record/schema.ts";
import { findEndTime } from "../../../../src/views/text/end.ts";

const WEBHOOK = { id: "wh_1", type: "response.failed", received_at: "2026-11-26T12:00:02.000Z" };
const RUN = {
  completed_at: null,
  verdict: "no_calls" as const,
  status: "failed",
  webhook: WEBHOOK,
  observations: [observed("control", "completed", 0), observed("refetch", "failed", 3)],
};

function observed(channel: Observation["channel"], status: string, second: number): Observation {
  const at = `2026-11-26T12:00:0${second}.000Z`;
  return { at, channel, http_status: 200, status, request_id: null, calls: [] };
}

test("the end of a completed run is OpenAI's", () => {
  const completed_at = "2026-11-26T12:00:01.000Z";
  expect(findEndTime({ ...RUN, completed_at })).toBe(completed_at);
});

test("the end of a failed run is when it was reported, or first seen, whichever is earlier", () => {
  expect(findEndTime(RUN)).toBe(WEBHOOK.received_at);
  expect(findEndTime({ ...RUN, webhook: null })).toBe("2026-11-26T12:00:03.000Z");
  const observations = [observed("refetch", "failed", 1)];
  expect(findEndTime({ ...RUN, observations })).toBe("2026-11-26T12:00:01.000Z");
});

test("a run in flight, or one that was given up, has no end", () => {
  expect(findEndTime({ ...RUN, verdict: "pending" })).toBeNull();
  expect(findEndTime({ ...RUN, verdict: "abandoned", status: "in_progress" })).toBeNull();
});
