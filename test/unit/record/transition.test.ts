import { expect, test } from "vitest";
import type { CallEvent, ResultEvent } from "../../../src/record/events.ts";
import { State, isKnown, isReadable, isSettled } from "../../../src/record/state.ts";
import { transition } from "../../../src/record/transition.ts";
import { hasWorkLeft } from "../../../src/record/machine/work.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import {
  createWebhook,
  refetchAt,
  runScenario,
  startAt,
  TRIGGER_PARAMS,
  webhookAt,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated", body: "a" };
const SUSPECT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty", body: "a" };
const RUNNING: ScriptedAnswer = { http: 200, status: "in_progress" };
const NOT_FOUND: ScriptedAnswer = { http: 404, refused: false };
const EXTERNAL = { started_by: "webhook", created: null, options: null, request: null } as const;
const START_MS = Date.parse(toTime(0));

function begin(event: CallEvent) {
  return transition(null, event, START_MS);
}

function typesOf({ effects }: ReturnType<typeof runScenario>): string[] {
  return effects.map(({ effect }) => effect.type);
}

test("a start sets the alarm to the webhook's deadline and lists the run", () => {
  const { state, effect, alarm, persist } = begin(startAt(0).event);
  expect(effect?.type).toBe("list");
  expect(alarm).toBe(START_MS + 120_000);
  expect(persist).toBe(true);
  expect(isKnown(state)).toBe(true);
  expect(isReadable(state)).toBe(false);
});

test("a webhook keeps the deadline's alarm while its observation is under way", () => {
  const started = begin(startAt(0).event);
  const listed: ResultEvent = { type: "listed", turn: started.effect?.turn ?? 0 };
  const waiting = transition(started.state, listed, START_MS + 10);
  expect(waiting).toMatchObject({ effect: null, alarm: null, persist: false });
  const woken = transition(waiting.state, webhookAt(7).event, START_MS + 7_000);
  expect(woken).toMatchObject({ effect: { type: "observe" }, alarm: null, persist: true });
});

test("every stored state can be read back", () => {
  const { states } = runScenario((_, count) => (count > 2 ? DONE : SUSPECT), {
    events: [webhookAt(1), refetchAt(300), { at: 900, event: { type: "remove" } }],
  });
  for (const state of states.filter((one) => one !== null)) {
    expect(State.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  }
});

test("a run that settles at its first observation writes 11 rows and makes 4 calls of its own", () => {
  const result = runScenario(() => DONE, { events: [webhookAt(7)], untilSeconds: 31 * 86_400 });
  expect(typesOf(result)).toEqual(["list", "observe", "store_record", "list", "unlist"]);
  expect(result.costs.rows).toBeLessThanOrEqual(11);
  expect(result.costs.alarms).toBe(2);
  expect(result.state).toBeNull();
});

test("effects run one at a time: observe, store, find files, copy them, list", () => {
  const file = { id: "file_1", container_id: "cntr_1", filename: "a", bytes: 1 };
  const files = [{ ...file, url: null, reason: null }];
  const result = runScenario(() => ({ ...DONE, containers: ["cntr_1"] }), {
    events: [webhookAt(0)],
    start: null,
    files,
    takes: 1,
  });
  const order = ["observe", "store_record", "find_files", "copy_file", "store_record", "list"];
  expect(typesOf(result)).toEqual(order);
  expect(result.record.files).toMatchObject([{ id: "file_1", reason: null }]);
  expect(result.bodies).toEqual(["rows", "rows"]);
});

test("a due observation comes before the next file", () => {
  const file = { container_id: "cntr_1", filename: "a", bytes: 1, url: null, reason: null };
  const files = [1, 2, 3, 4].map((number) => ({ ...file, id: `file_${number}` }));
  const result = runScenario(() => ({ ...SUSPECT, containers: ["cntr_1"] }), {
    events: [webhookAt(0)],
    start: null,
    files,
    takes: 2,
  });
  expect(typesOf(result).slice(0, 6)).toEqual([
    "observe",
    "store_record",
    "find_files",
    "copy_file",
    "observe",
    "copy_file",
  ]);
});

test("a result with another turn changes nothing", () => {
  const { state } = begin(webhookAt(0).event);
  const stale = transition(state, { type: "stored", turn: 99 }, START_MS + 1);
  expect(stale).toMatchObject({ state, effect: null, alarm: null, persist: false });
});

test("an alarm that meets its effect sets the next alarm and begins nothing", () => {
  const { state } = begin(webhookAt(0).event);
  const fired = transition(state, { type: "alarm" }, START_MS + 30_000);
  expect(fired.effect).toBeNull();
  expect(fired.alarm).toBe(START_MS + 60_000);
});

test("an effect that is out of time is done again, and its late result is ignored", () => {
  const { state, effect } = begin(webhookAt(0).event);
  const again = transition(state, { type: "alarm" }, START_MS + 90_000);
  expect(again.effect).toMatchObject({ type: "observe", turn: (effect?.turn ?? 0) + 1 });
  const late: ResultEvent = { type: "failed", turn: effect?.turn ?? 0, reason: "late" };
  expect(transition(again.state, late, START_MS + 90_001).effect).toBeNull();
});

test("an effect that died with its object is done again by the event that wakes the object", () => {
  const { state, effect } = begin(webhookAt(0).event);
  const lost = transition(state, { type: "lost", turn: effect?.turn ?? 0 }, START_MS + 1_000);
  expect(lost).toMatchObject({ effect: null, alarm: null, persist: false });
  const woken = transition(lost.state, { type: "alarm" }, START_MS + 30_000);
  expect(woken.effect?.type).toBe("observe");
});

test("three deaths on a large body end the run as too_large, and a refetch by hand tries again", () => {
  const result = runScenario((_, count) => (count > 3 ? DONE : { http: 200, dies: "large" }), {
    events: [webhookAt(0), refetchAt(3_600)],
  });
  const abandoned = result.stored[0];
  expect(abandoned).toMatchObject({ verdict: "abandoned", error: { code: "too_large" } });
  expect(abandoned?.settled_at).not.toBeNull();
  expect(result.channels.length).toBe(4);
  expect(result.record).toMatchObject({ verdict: "captured", error: null });
});

test("a Connection whose body is too large is read no more, and its run's control is still asked for", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const params = { ...TRIGGER_PARAMS, connection };
  const ended: CallEvent = { type: "connection_ended", params };
  const result = runScenario(() => ({ http: 200, dies: "large" }), {
    start: { connection, control: "connection_2" },
    events: [1, 3_600, 7_200].map((at) => ({ at, event: ended })),
  });
  expect(result.channels).toEqual(["held", "held", "held"]);
  expect(result.record).toMatchObject({
    error: { code: "too_large" },
    control: { status: "not_run" },
  });
  expect(result.record.settled_at).not.toBeNull();
});

test("deaths without a large body never make a response too large", () => {
  const result = runScenario((_, count) => (count > 6 ? DONE : { http: 200, dies: "small" }), {
    events: [webhookAt(0)],
  });
  expect(result.record).toMatchObject({ verdict: "captured", error: null });
});

test("a webhook before the start begins the run, and the start completes its record", () => {
  const answer: ScriptedAnswer = { ...DONE, ours: true };
  const result = runScenario(() => answer, {
    start: null,
    events: [webhookAt(0), startAt(3, { request: { input: "hello" } })],
  });
  expect(result.observedAt).toEqual([0]);
  expect(result.record).toMatchObject({ started_by: "trigger", request: { input: "hello" } });
  expect(result.stored.at(-1)).toMatchObject({ started_by: "trigger" });
});

test("a start twice changes nothing the second time", () => {
  const result = runScenario(() => DONE, { events: [startAt(3), webhookAt(5), startAt(8)] });
  expect(typesOf(result)).toEqual(["list", "observe", "store_record", "list"]);
});

test("a start after the response was excluded begins again and observes at once", () => {
  const result = runScenario(() => DONE, {
    start: { ...EXTERNAL, webhook: createWebhook(0) },
    policy: { record_external: false },
    events: [startAt(30)],
  });
  expect(result.observedAt).toEqual([0, 30]);
  expect(result.stored).toMatchObject([{ verdict: "captured", started_by: "trigger" }]);
  expect(result.record.webhook).not.toBeNull();
});

test("an excluded response is neither read, stored nor listed, and is forgotten after ten minutes", () => {
  const excluded = runScenario(() => ({ ...DONE, body: "a" }), {
    start: { ...EXTERNAL, webhook: createWebhook(0) },
    policy: { record_external: false },
  });
  expect(typesOf(excluded)).toEqual(["observe"]);
  expect(excluded.states.some(isKnown)).toBe(true);
  expect(excluded.states.some(isReadable)).toBe(false);
  expect(excluded.object.storage.body).toBeNull();
  expect(excluded.state).toBeNull();
});

test("an external response that was never found leaves no record and no row", () => {
  const result = runScenario(() => NOT_FOUND, {
    start: { ...EXTERNAL, webhook: createWebhook(0) },
    untilSeconds: 3_600,
  });
  expect(result.stored).toEqual([]);
  expect(typesOf(result).at(-1)).toBe("unlist");
  expect(result.state).toBeNull();
});

test("a webhook for a response that was not found makes it pending, and a start keeps what was observed", () => {
  const failing = [NOT_FOUND, { http: 500 }, DONE];
  const result = runScenario((seconds) => failing[Math.floor(seconds / 200)] ?? DONE, {
    start: null,
    events: [webhookAt(0), webhookAt(200), startAt(201)],
  });
  expect(result.record).toMatchObject({ verdict: "captured", started_by: "trigger" });
  expect(result.record.observations[0]?.http_status).toBe(404);
});

test("a webhook during an observation that saw no end is followed by another observation", () => {
  const result = runScenario((_, count) => (count > 1 ? DONE : RUNNING), {
    policy: { deadline_seconds: 10 },
    events: [webhookAt(11)],
    takes: 5,
  });
  expect(result.observedAt).toEqual([15, 20]);
});

test("a refetch by hand during an observation is followed by another observation", () => {
  const result = runScenario(() => DONE, {
    policy: { deadline_seconds: 10 },
    events: [refetchAt(11)],
    takes: 5,
  });
  expect(result.observedAt.length).toBe(2);
  expect(isSettled(result.state)).toBe(true);
});

test("a cancel observes at once", () => {
  const result = runScenario(() => ({ ...DONE, status: "cancelled" }), {
    events: [{ at: 5, event: { type: "cancelled" } }],
  });
  expect(result.observedAt).toEqual([5]);
});

test("the body stays in the object's rows until the Catalog has its text, however long the Catalog is down", () => {
  const { states, state } = runScenario(() => DONE, {
    events: [webhookAt(0)],
    effects: ({ type }, seconds) => (type === "list" && seconds < 3_600 ? "failed" : "done"),
  });
  const listed = states.find(
    (one) => one?.kind === "run" && one.catalog.listed_revision === one.revision,
  );
  expect(listed).toMatchObject({ rows: { body_digest: "a" }, kv: { body_digest: "a" } });
  expect(state).toMatchObject({ rows: { body_digest: null } });
});

test("a deleted run leaves the list while KV refuses to delete, and KV while the Catalog is down", () => {
  for (const down of ["erase", "unlist"]) {
    const { effects } = runScenario(() => DONE, {
      events: [webhookAt(0), { at: 60, event: { type: "remove" } }],
      effects: ({ type }, seconds) => (type === down && seconds < 3_600 ? "failed" : "done"),
    });
    const other = down === "erase" ? "unlist" : "erase";
    const at = effects.find(({ effect }) => effect.type === other)?.at;
    expect(at).toBeLessThan(70);
  }
});

test("a poke sets the alarm to now only where something is due", () => {
  const { state } = begin(startAt(0).event);
  const listed = transition(state, { type: "listed", turn: 1 }, START_MS + 10);
  const early = transition(listed.state, { type: "poke" }, START_MS + 60_000);
  expect(early).toMatchObject({ effect: null, alarm: START_MS + 120_000 });
  const late = transition(listed.state, { type: "poke" }, START_MS + 500_000);
  expect(late).toMatchObject({ effect: null, alarm: START_MS + 500_000 });
  expect(hasWorkLeft(late.state, START_MS + 500_000)).toBe(true);
  expect(hasWorkLeft(listed.state, START_MS + 60_000)).toBe(false);
});

test("a control that ends is compared and stored once, with the run's other changes", () => {
  const ended = { id: "resp_2", status: "completed", calls: [] };
  const result = runScenario(() => SUSPECT, {
    start: { control: "connection_2" },
    events: [
      webhookAt(0),
      { at: 1, event: { type: "control_opened" } },
      { at: 700, event: { type: "control_ended" } },
    ],
    control: () => ({ observation: null, control: ended }),
  });
  expect(result.controlAskedAt).toEqual([700]);
  expect(result.stored.map(({ control }) => control?.id ?? null)).toEqual([null, "resp_2"]);
  expect(typesOf(result).filter((type) => type === "store_outputs").length).toBe(1);
});

test("a control that is opened while it is asked for does not count as not run", () => {
  const ended = { id: "resp_2", status: "completed", calls: [] };
  const result = runScenario(() => DONE, {
    start: { control: "connection_2" },
    takes: 5,
    events: [webhookAt(0), { at: 62, event: { type: "control_opened" } }],
    control: (seconds) =>
      seconds > 70
        ? { observation: null, control: ended }
        : { observation: null, control: { id: null, status: "not_run", calls: [] } },
  });
  expect(result.controlAskedAt.map((seconds) => Math.floor(seconds / 60))).toEqual([1, 1_440]);
  const statuses = result.states.flatMap((one) =>
    one?.kind === "run" ? [one.record.control?.status] : [],
  );
  expect(statuses).not.toContain("not_run");
  expect(result.record.control?.status).toBe("completed");
});

test("the end of a connection is read at once, also for a run that it begins", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const params = { ...TRIGGER_PARAMS, connection };
  const result = runScenario(() => ({ ...DONE, brokeAt: null }), {
    start: null,
    events: [{ at: 3, event: { type: "connection_ended", params } }],
  });
  expect(result.channels).toEqual(["held"]);
  expect(result.observedAt).toEqual([3]);
  expect(result.record.verdict).toBe("captured");
});

test("nothing begins for an id that only ends a control, or is removed, poked or cancelled", () => {
  const events: CallEvent[] = [
    { type: "remove" },
    { type: "poke" },
    { type: "alarm" },
    { type: "cancelled" },
    { type: "status_seen", status: "in_progress" },
    { type: "control_opened" },
    { type: "control_ended" },
  ];
  for (const event of events) {
    expect(begin(event)).toMatchObject({ state: null, effect: null, alarm: null, persist: false });
  }
});

test("progress is numbered without gaps and ends with the settled run", () => {
  const { state } = runScenario(() => DONE, { events: [webhookAt(7)] });
  const progress = state?.kind === "run" ? state.progress : [];
  expect(progress.map(({ seq }) => seq)).toEqual(progress.map((_, index) => index + 1));
  const types = progress.map(({ type }) => type);
  expect(types).toEqual(["started", "webhook", "observing", "observed", "settled", "stored"]);
});
