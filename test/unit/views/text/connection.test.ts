import { describe, expect, test } from "vitest";
import { BREAK_UNKNOWN, type Observation } from "../../../../src/record/schema.ts";
import {
  describeConnection,
  explainConnection,
  toHeadline,
  type ConnectionSubject,
} from "../../../../src/views/text/connection.ts";

const PENDING: ConnectionSubject = {
  held: null,
  request: { input: "Hi", background: true },
  verdict: "pending",
  status: "in_progress",
  settled_at: null,
  observations: [],
};
const HELD = { ...PENDING, held: { broke_at: null } };
const FOLLOWED = { ...PENDING, request: { ...PENDING.request, stream: true } };

function observed(channel: Observation["channel"], status: string | null): Observation {
  const at = "2026-11-26T12:00:00.000Z";
  return { at, channel, http_status: 200, status, request_id: null, calls: [] };
}

function explain(record: ConnectionSubject): string {
  const connection = describeConnection(record);
  return connection === null ? "" : explainConnection(record, connection);
}

test("describeConnection returns null for a background run without a Connection", () => {
  expect(describeConnection(PENDING)).toBeNull();
  expect(describeConnection({ ...PENDING, request: null })).toBeNull();
});

test("of an id that OpenAI has not shown yet the headline says that it is asked, and what it answered", () => {
  const unseen = { ...PENDING, status: null };
  expect(toHeadline(unseen)).toMatchObject({
    title: "Asking OpenAI…",
    meaning: "Nothing is known of this id yet.",
  });
  const missing = { ...observed("refetch", null), http_status: 404 };
  expect(toHeadline({ ...unseen, observations: [missing] }).meaning).toBe("Not found so far.");
  expect(toHeadline({ ...PENDING, observations: [missing] }).title).toBe("Running at OpenAI");
});

describe("a held run", () => {
  test("is open until its connection is observed", () => {
    const refetched = { ...HELD, observations: [observed("refetch", "in_progress")] };
    expect(describeConnection(refetched)).toMatchObject({ kind: "held", state: "open" });
    expect(explain(refetched)).toContain("what has come by then is kept");
  });

  test("shows the event at which its connection broke, and that what had come is kept", () => {
    const broke = {
      ...HELD,
      held: { broke_at: "14 response.output_item.done" },
      observations: [observed("held", "in_progress")],
    };
    expect(describeConnection(broke)).toMatchObject({
      state: "broke",
      label: "broke at 14 response.output_item.done",
    });
    expect(explain(broke)).toContain("Calls that were done by then are recorded.");
    expect(explain(broke)).toContain("Nothing is run twice.");
  });

  test("says so when nothing of its connection could be read", () => {
    const lost = {
      ...HELD,
      held: { broke_at: BREAK_UNKNOWN },
      observations: [observed("held", null)],
    };
    expect(describeConnection(lost)?.label).toBe("ended at an unknown event");
    expect(explain(lost)).toContain("nothing of it could be read");
    expect(explain(lost)).not.toContain("are recorded");
  });

  test("says that OpenAI has it no more when it is gone after a break", () => {
    const gone = {
      ...HELD,
      verdict: "gone" as const,
      held: { broke_at: "3 error" },
      observations: [observed("held", "in_progress")],
    };
    expect(explain(gone)).toContain("OpenAI answered every check with 404");
    expect(toHeadline(gone).title).toBe("OpenAI has it no more");
  });

  test("has a headline of its own when it is suspect", () => {
    const record = {
      ...HELD,
      verdict: "suspect" as const,
      status: "completed",
      observations: [observed("held", "completed")],
    };
    expect(toHeadline(record).meaning).toContain("in the foreground as well");
    expect(toHeadline({ ...record, held: null }).meaning).not.toContain("in the foreground");
  });
});

describe("a followed run", () => {
  test("is open until its stream is observed, whatever else is", () => {
    const record = { ...FOLLOWED, observations: [observed("refetch", "in_progress")] };
    expect(describeConnection(record)).toMatchObject({ kind: "followed", state: "open" });
    expect(explain(record)).toContain("taken up again after its last event");
  });

  test("was followed to its end when its stream showed the end, also when a later replay failed", () => {
    const observations = [observed("stream", "completed"), observed("stream", null)];
    expect(describeConnection({ ...FOLLOWED, observations })).toMatchObject({
      state: "whole",
      label: "followed to its end",
    });
  });

  test("broke when its stream did not show the end, and says what is known since", () => {
    const broke = { ...FOLLOWED, observations: [observed("stream", "in_progress")] };
    expect(describeConnection(broke)).toMatchObject({
      state: "broke",
      label: "broke before the run's end",
    });
    expect(explain(broke)).toContain("fetched by its id until its end");
    const ended = { ...broke, verdict: "recovered" as const, status: "completed" };
    expect(explain(ended)).toContain("the rest was fetched by its id");
    expect(toHeadline(ended).meaning).toContain("The stream broke before the run's end");
  });
});
