import { expect, test } from "vitest";
import { timeOf } from "../../resilience/simulation/clock.ts";
import {
  known,
  play,
  TRIGGERED,
  webhook,
  type Answer,
} from "../../resilience/simulation/scenario-runner.ts";

const DONE: Answer = { http: 200, status: "completed", outputs: "populated" };
const RUNNING: Answer = { http: 200, status: "in_progress" };
const DAY = 24 * 60 * 60;

function gaps(times: number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

test("a webhook leads to one look, one stored record and two entries in the list", async () => {
  const story = await play(() => DONE, { events: [webhook(7)] });
  expect(story.looks).toEqual([7]);
  expect(story.stored).toMatchObject([{ verdict: "captured" }]);
  expect(story.listed.map((record) => record.verdict)).toEqual(["pending", "captured"]);
  expect(story.steps).toEqual(["list as in flight", "wait 1", "look 1", "list 1"]);
});

test("without a webhook the deadline looks", async () => {
  const story = await play(() => DONE);
  expect(story.looks).toEqual([120]);
});

test("a response that goes on is looked at with growing gaps of at most 5 minutes", async () => {
  const story = await play((seconds) => (seconds > 7200 ? DONE : RUNNING));
  expect(gaps(story.looks).slice(0, 9)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300]);
  expect(Math.max(...gaps(story.looks))).toBe(300);
  expect(story.outcome.verdict).toBe("captured");
});

test("gaps are at most 30 s where the effective store is false", async () => {
  const created = {
    status: "queued",
    model: "m",
    background: true,
    store: false,
    created_at: null,
  };
  const story = await play((seconds) => (seconds > 3000 ? DONE : RUNNING), { start: { created } });
  expect(Math.max(...gaps(story.looks))).toBe(30);
});

test("a webhook cuts a gap short, also after the deadline", async () => {
  const story = await play((seconds) => (seconds >= 1000 ? DONE : RUNNING), {
    events: [webhook(1000)],
  });
  expect(story.looks.at(-1)).toBe(1000);
});

test("after a webhook the gaps start over", async () => {
  const story = await play((seconds) => (seconds > 1001 ? DONE : RUNNING), {
    events: [webhook(1000)],
  });
  expect(story.looks.slice(-2)).toEqual([1000, 1002]);
});

test("a refusal is looked at every 5 minutes, and recovers", async () => {
  const refusal: Answer = { http: 401, refused: true };
  const story = await play((seconds) => (seconds > 2000 ? DONE : refusal));
  expect(new Set(gaps(story.looks))).toEqual(new Set([300]));
  expect(story.stored.at(-1)).toMatchObject({ verdict: "captured", error: null });
});

test("Retry-After is honoured, up to 5 minutes", async () => {
  const story = await play((_, looks) =>
    looks > 2 ? DONE : { http: 429, retryAfter: looks === 1 ? 50 : 9000 },
  );
  expect(gaps(story.looks)).toEqual([50, 300]);
});

test("a stranger that is 404 for a minute ends as not found, and is not listed", async () => {
  const start = {
    started_by: "webhook",
    created: null,
    intent: null,
    webhook: webhookOf(0),
  } as const;
  const story = await play(() => ({ http: 404, refused: true }), { start });
  expect(story.outcome.verdict).toBe("not_found");
  expect(story.looks[0]).toBe(0);
  expect(story.looks.at(-1)).toBeGreaterThanOrEqual(60);
  expect(story.looks.at(-1)).toBeLessThan(120);
  expect(story.listed).toEqual([]);
});

test("a response whose trigger comes after looks that found nothing is never not found", async () => {
  const story = await play((seconds) => (seconds < 3600 ? { http: 404, refused: true } : DONE), {
    start: { started_by: "webhook", created: null, options: null, request: null },
    events: [{ at: 30, wake: { kind: "trigger", params: TRIGGERED } }],
  });
  expect(story.stored).toMatchObject([{ verdict: "captured", started_by: "trigger" }]);
});

test("a response that was seen is never not found", async () => {
  const story = await play(() => ({ http: 404, refused: true }));
  expect(story.outcome.verdict).toBe("abandoned");
});

test.each([true, false])(
  "a response without an end is abandoned after a day, within 1,000 steps (store: %s)",
  async (store) => {
    const created = { status: "queued", model: "m", background: true, store, created_at: null };
    const story = await play(() => RUNNING, { start: { created } });
    expect(story.outcome.verdict).toBe("abandoned");
    expect(story.looks.at(-1)).toBe(DAY);
    expect(story.steps.length).toBeLessThan(1000);
    expect(story.stored).toMatchObject([{ verdict: "abandoned", status: "in_progress" }]);
  },
);

test("a stranger that nobody wants leaves nothing behind", async () => {
  const start = {
    started_by: "webhook",
    created: null,
    intent: null,
    webhook: webhookOf(0),
  } as const;
  const story = await play(() => DONE, { start, policy: { record_external: false } });
  expect(story).toMatchObject({ stored: [], listed: [], outcome: { recorded: false } });
});

test("a thousand webhooks end in a bounded number of steps", async () => {
  const events = Array.from({ length: 1000 }, (_, index) => webhook(index));
  const story = await play(() => RUNNING, { events });
  expect(story.steps.length).toBeLessThan(1024);
});

test("webhooks without end settle what has ended, and it is stored so", async () => {
  const events = Array.from({ length: 300 }, (_, index) => webhook(1 + index));
  const story = await play(() => SUSPECT, { events });
  expect(story.stored.at(-1)).toMatchObject({ verdict: "suspect" });
  expect(story.stored.at(-1)?.settled_at).not.toBeNull();
});

function webhookOf(seconds: number) {
  const { wake } = webhook(seconds);
  if (wake.kind !== "webhook") throw new Error("not a webhook");
  return wake.webhook;
}

const SUSPECT: Answer = { http: 200, status: "completed", outputs: "empty" };

test("a suspect response is looked at again at the gaps, stored once before and once when it settles", async () => {
  const story = await play(() => SUSPECT, { events: [webhook(0)] });
  expect(story.looks).toEqual([0, 5, 25, 85, 265, 565]);
  expect(story.stored.map((record) => record.settled_at !== null)).toEqual([false, true]);
  expect(story.outcome.verdict).toBe("suspect");
});

test("looks after the end stop as soon as the outputs are there", async () => {
  const story = await play((seconds) => (seconds >= 25 ? DONE : SUSPECT), { events: [webhook(0)] });
  expect(story.looks).toEqual([0, 5, 25]);
  expect(story.outcome.verdict).toBe("recovered");
});

test("where the effective store is false no look is planned later than 570 s after the end", async () => {
  const created = {
    status: "queued",
    model: "m",
    background: true,
    store: false,
    created_at: null,
  };
  const policy = { delays_seconds: [60, 500, 600, 600] };
  const story = await play(() => SUSPECT, { events: [webhook(0)], start: { created }, policy });
  expect(story.looks).toEqual([0, 60, 560]);
});

test("webhooks that are sent again after the end cause no look and no delay", async () => {
  const events = [0, 1, 2, 3, 30, 40].map((seconds) => webhook(seconds));
  const story = await play(() => SUSPECT, { events });
  expect(story.looks).toEqual([0, 5, 25, 85, 265, 565]);
});

test("a control that ends early moves no look", async () => {
  const story = await play(() => DONE, {
    start: { control: {} },
    controlEnds: 119,
  });
  expect(story.looks).toEqual([120]);
});

test("files that are copied meanwhile move no look", async () => {
  const copied = { at: 300, wake: { kind: "files" as const, at: timeOf(300) } };
  const story = await play(() => SUSPECT, { events: [webhook(0), copied] });
  expect(story.looks).toEqual([0, 5, 25, 85, 265, 565]);
});

test("a Holder that tells after the end moves no look", async () => {
  const story = await play(() => SUSPECT, {
    events: [webhook(1), { at: 300, wake: { kind: "held", at: timeOf(300) } }],
  });
  const without = await play(() => SUSPECT, { events: [webhook(1)] });
  expect(story.looks).toEqual(without.looks);
});

test("a Holder that is first heard of after the end is asked what it has", async () => {
  const ended = { ...known(), status: "completed", verdict: "no_calls" as const };
  const story = await play(() => DONE, {
    stored: { ...ended, started_by: "webhook", settled_at: timeOf(2), holder: null },
    start: { holder: "holder_1", action: "refetch" },
    events: [{ at: 1, wake: { kind: "held", at: timeOf(1) } }],
  });
  expect(story.channels).toContain("held");
});

test("an end that comes after a run was given up is looked into like any other", async () => {
  const stored = (await play(() => RUNNING)).stored.at(-1);
  expect(stored?.verdict).toBe("abandoned");
  const start = { started_by: "webhook", webhook: webhookOf(90_000) } as const;
  const story = await play(() => SUSPECT, { start, stored });
  expect(story.outcome.verdict).toBe("suspect");
  expect(story.looks.length).toBeGreaterThan(1);
});

test("a control that an earlier instance left unfinished holds nothing up", async () => {
  const stored = {
    ...known(),
    status: "completed",
    verdict: "suspect" as const,
    control_due: true,
  };
  const story = await play(() => SUSPECT, {
    start: { started_by: "refetch", action: "refetch" },
    stored,
  });
  expect(story.stored.at(-1)?.control).toMatchObject({ status: "interrupted" });
});

test("a wish to look now is met at once", async () => {
  const wish = { at: 100, wake: { kind: "refetch" as const } };
  const story = await play(() => SUSPECT, { events: [webhook(0), wish] });
  expect(story.looks).toEqual([0, 5, 25, 85, 100, 265, 565]);
});

test("where the trigger of a faster webhook never comes, one more look is the end, whatever it says", async () => {
  const start = { started_by: "webhook", webhook: webhookOf(0), request: null } as const;
  const story = await play(
    (seconds) => (seconds < 5 ? { ...DONE, ours: true } : { http: 404, refused: true }),
    { start },
  );
  expect(story.looks).toEqual([0, 10]);
  expect(story.stored.at(-1)).toMatchObject({ verdict: "captured", started_by: "webhook" });
});
