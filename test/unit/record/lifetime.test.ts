import { expect, test } from "vitest";
import type { CallEvent, Effect } from "../../../src/record/events.ts";
import { isKnown } from "../../../src/record/state.ts";
import { transition } from "../../../src/record/transition.ts";
import {
  refetchAt,
  runScenario,
  startAt,
  TRIGGER_PARAMS,
  webhookAt,
  type ScriptedAnswer,
} from "./scenario-runner.ts";

const DONE: ScriptedAnswer = { http: 200, status: "completed", outputs: "populated", body: "a" };
const SUSPECT: ScriptedAnswer = { http: 200, status: "completed", outputs: "empty", body: "a" };
const DAY_SECONDS = 24 * 60 * 60;

function findEffects<Type extends Effect["type"]>(
  { effects }: ReturnType<typeof runScenario>,
  type: Type,
): { at: number; effect: Extract<Effect, { type: Type }> }[] {
  return effects.flatMap(({ at, effect }) => (isType(effect, type) ? [{ at, effect }] : []));
}

function isType<Type extends Effect["type"]>(
  effect: Effect,
  type: Type,
): effect is Extract<Effect, { type: Type }> {
  return effect.type === type;
}

function removeAt(at: number) {
  return { at, event: { type: "remove" as const } };
}

test("KV is retried at growing gaps while the body's rows stay, and OpenAI is asked once", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0)],
    effects: ({ type }, seconds) =>
      type === "store_record" && seconds < DAY_SECONDS ? "failed" : "done",
  });
  expect(result.observedAt).toEqual([0]);
  expect(result.bodies).toEqual(["rows"]);
  const tries = findEffects(result, "store_record").map(({ at }) => at);
  expect(tries.slice(0, 5)).toEqual([0, 1, 3, 7, 15]);
  const last = tries.at(-1) ?? 0;
  expect(last).toBeGreaterThanOrEqual(DAY_SECONDS);
  expect(last - (tries.at(-2) ?? 0)).toBeLessThanOrEqual(300);
  expect(result.object.storage.body).toBeNull();
});

test("the body's rows are dropped five minutes after KV took them", () => {
  const kept = runScenario(() => DONE, { events: [webhookAt(0)], untilSeconds: 299 });
  expect(kept.object.storage.body).toBe("a");
  const dropped = runScenario(() => DONE, { events: [webhookAt(0)], untilSeconds: 301 });
  expect(dropped.object.storage.body).toBeNull();
});

test("many changes of a record cost one write at the end and one when the run settles", () => {
  const result = runScenario((_, count) => (count > 4 ? { ...DONE, body: "b" } : SUSPECT), {
    events: [webhookAt(0), webhookAt(1), webhookAt(30)],
  });
  expect(result.observedAt).toEqual([0, 5, 25, 85, 265]);
  expect(result.stored.map(({ verdict }) => verdict)).toEqual(["suspect", "recovered"]);
  expect(result.bodies).toEqual(["rows", "rows"]);
});

test("a change after the rows were dropped is stored with the body that KV has", () => {
  const result = runScenario(() => DONE, { events: [webhookAt(0), refetchAt(3_600)] });
  expect(result.bodies).toEqual(["rows", "kv"]);
});

test("outputs that a refused body had are stored separately, and added to earlier ones", () => {
  const answers: ScriptedAnswer[] = [
    { ...DONE, http: 200, hasOutputs: true },
    { ...SUSPECT, body: "b", hasOutputs: true },
  ];
  const result = runScenario((_, count) => answers[count - 1] ?? SUSPECT, {
    events: [webhookAt(0), refetchAt(100), refetchAt(1_000)],
  });
  const outputs = findEffects(result, "store_outputs").map(({ effect }) => effect.isAddition);
  expect(outputs).toEqual([false]);
  expect(result.record.body?.digest).toBe("a");
});

test("the body of a Connection does not replace one that has outputs: its own can stand in its items alone", () => {
  const connection = { id: "connection_1", kind: "held" as const };
  const ended: CallEvent = { type: "connection_ended", params: { ...TRIGGER_PARAMS, connection } };
  const result = runScenario(
    (_, count) => (count === 1 ? DONE : { ...DONE, body: "b", hasOutputs: true, brokeAt: null }),
    { start: { connection }, events: [webhookAt(0), { at: 5, event: ended }] },
  );
  expect(result.channels).toEqual(["refetch", "held"]);
  expect(result.record.body?.digest).toBe("a");
});

test("the Catalog is retried, and gets higher versions each time", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0)],
    effects: ({ type }, seconds) => (type === "list" && seconds < 3_600 ? "failed" : "done"),
  });
  const versions = findEffects(result, "list").map(({ effect }) => effect.version);
  expect(versions.length).toBeGreaterThan(10);
  expect(versions.every((version, index) => version > (versions[index - 1] ?? 0))).toBe(true);
  expect(result.listed.map(({ verdict }) => verdict)).toEqual(["captured"]);
});

test("a run of a day is listed again a few times only, and is never overdue for long", () => {
  const running: ScriptedAnswer = { http: 200, status: "in_progress" };
  const result = runScenario(() => running, { untilSeconds: DAY_SECONDS });
  const lists = findEffects(result, "list");
  expect(lists.length).toBeLessThan(20);
  const dues = lists.map(({ at, effect }) => effect.dueMs / 1000 - at);
  expect(Math.min(...dues)).toBeGreaterThan(0);
});

test("a file that fails six times is listed with a reason", () => {
  const file = { id: "file_1", container_id: "cntr_1", filename: "a", bytes: 1 };
  const result = runScenario(() => ({ ...DONE, containers: ["cntr_1"] }), {
    events: [webhookAt(0)],
    files: [{ ...file, url: null, reason: null }],
    effects: ({ type }) => (type === "copy_file" ? "failed" : "done"),
  });
  expect(findEffects(result, "copy_file").length).toBe(6);
  expect(result.record.files).toMatchObject([{ url: null }]);
  expect(result.record.files[0]?.reason).toContain("6 attempts");
  expect(result.stored.at(-1)?.files.length).toBe(1);
});

test("containers that can't be searched are listed with a reason after six attempts", () => {
  const result = runScenario(() => ({ ...DONE, containers: ["cntr_1"] }), {
    events: [webhookAt(0)],
    effects: ({ type }) => (type === "find_files" ? "dies" : "done"),
  });
  expect(findEffects(result, "find_files").length).toBe(6);
  expect(result.record.files).toMatchObject([{ id: "cntr_1" }]);
  expect(result.record.files[0]?.reason).toContain("6 attempts");
});

test("a deleted run erases its keys twice, leaves the Catalog, and is forgotten after 72 hours", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0), removeAt(60)],
    untilSeconds: 73 * 3_600,
  });
  const erasures = findEffects(result, "erase");
  expect(erasures.map(({ at }) => at)).toEqual([60, 360]);
  expect(erasures[0]?.effect.keys).toEqual([{ type: "record" }]);
  expect(findEffects(result, "unlist").length).toBe(1);
  expect(result.object.storage.body).toBeNull();
  expect(result.state).toBeNull();
});

test("an erasure that fails is retried until it is done", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0), removeAt(60)],
    effects: ({ type }, seconds) => (type === "erase" && seconds < 7_200 ? "failed" : "done"),
    untilSeconds: 71 * 3_600,
  });
  const last = findEffects(result, "erase").slice(-2);
  expect(last.every(({ at }) => at >= 7_200)).toBe(true);
  expect(result.state).toMatchObject({ kind: "deleted", erased: 2 });
});

test("a deleted run stays deleted, whatever comes", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0), removeAt(60), webhookAt(90), startAt(91), refetchAt(92), removeAt(93)],
    untilSeconds: 71 * 3_600,
  });
  expect(result.observedAt).toEqual([0]);
  expect(isKnown(result.state)).toBe(false);
  expect(findEffects(result, "erase").length).toBe(2);
});

test("a run that is deleted while KV is written erases that key, and once more", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0), removeAt(4)],
    start: null,
    takes: 3,
    untilSeconds: 3_600,
  });
  const erasures = findEffects(result, "erase");
  expect(erasures.map(({ effect }) => effect.keys)).toEqual([
    [{ type: "record" }],
    [{ type: "record" }],
  ]);
  expect(erasures.map(({ at }) => at)).toEqual([4, 304]);
});

test("a record expires with its retention, also below a day and in flight", () => {
  const policy = { retention_seconds: 3_600 };
  const running = runScenario(() => ({ http: 200, status: "in_progress" }), {
    policy,
    untilSeconds: 3_601,
  });
  expect(running.state).toBeNull();
  const done = runScenario(() => DONE, {
    policy,
    events: [webhookAt(0), refetchAt(3_500)],
    untilSeconds: 3_601,
  });
  expect(done.state).toBeNull();
  expect(findEffects(done, "unlist").map(({ at }) => at)).toEqual([3_600]);
});

test("a run that expires removes its Connections, its control's too, and is forgotten after that", () => {
  const connection = { id: "connection_1", kind: "followed" as const };
  const result = runScenario(() => DONE, {
    policy: { retention_seconds: 7 * DAY_SECONDS },
    start: { connection, control: "connection_2" },
    events: [webhookAt(0)],
    effects: ({ type }, seconds) =>
      type === "erase" && seconds < 7 * DAY_SECONDS + 60 ? "failed" : "done",
  });
  const { at, effect } = findEffects(result, "erase").at(-1) ?? {};
  expect(effect).toMatchObject({ keys: [], connections: ["connection_1", "connection_2"] });
  expect(at).toBeGreaterThanOrEqual(7 * DAY_SECONDS + 60);
  expect(result.state).toBeNull();
});

test("an expired run refuses reads until the Catalog has removed its row", () => {
  const result = runScenario(() => DONE, {
    policy: { retention_seconds: 3_600 },
    events: [webhookAt(0), webhookAt(4_000)],
    effects: ({ type }) => (type === "unlist" ? "failed" : "done"),
    untilSeconds: 4_500,
  });
  expect(result.state).toMatchObject({ kind: "expired" });
  expect(isKnown(result.state)).toBe(false);
});

test("expires_at never moves once something is stored", () => {
  const result = runScenario(() => ({ ...DONE, ours: true, retentionDays: 2 }), {
    start: null,
    events: [webhookAt(0), startAt(5), refetchAt(3_600)],
    untilSeconds: 4_000,
  });
  const expiries = new Set(result.stored.map(({ expires_at }) => expires_at));
  expect([...expiries]).toEqual(["2026-01-03T00:00:00.000Z"]);
});

test("an object that is created again and again does not put a retry off each time", () => {
  let state = runScenario(() => DONE, {
    events: [webhookAt(0)],
    effects: ({ type }) => (type === "store_record" ? "failed" : "done"),
    untilSeconds: 2_000,
  }).state;
  const turn = state?.running?.turn ?? (state?.turn ?? 0) + 1;
  const beganMs = Date.parse("2026-01-01T01:00:00.000Z");
  state = transition(state, { type: "alarm" }, beganMs).state;
  expect(state?.running?.type).toBe("store_record");
  const lost = { type: "lost" as const, turn: state?.running?.turn ?? turn };
  const early = transition(state, lost, beganMs + 100_000).state;
  const late = transition(state, lost, beganMs + 299_000).state;
  expect(early?.kind === "run" && early.kv.not_before_ms).toBe(beganMs + 300_000);
  expect(late?.kind === "run" && late.kv.not_before_ms).toBe(beganMs + 300_000);
});

test("rows stay while a write to KV reads from them, also past the moment at which they are dropped", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0), refetchAt(298)],
    start: null,
    takes: 1.5,
    untilSeconds: 1_000,
  });
  expect(result.bodies).toEqual(["rows", "rows"]);
  const rows = result.states.flatMap((state) => (state?.kind === "run" ? [state] : []));
  const isReading = rows.filter(({ running }) => running?.type === "store_record");
  expect(isReading.every((state) => state.rows.body_digest === "a")).toBe(true);
  expect(result.object.storage.body).toBeNull();
});

test("what memory alone knows of KV is stored before the rows are dropped", () => {
  const result = runScenario(() => DONE, {
    events: [webhookAt(0)],
    start: null,
    effects: ({ type }, seconds) => (type === "list" && seconds < 400 ? "dies" : "done"),
    untilSeconds: 2_000,
  });
  expect(result.object.storage.body).toBeNull();
  expect(result.state).toMatchObject({ kv: { body_digest: "a" }, rows: { body_digest: null } });
});

test("a body that replaces another is written to the rows again, although KV has it", () => {
  const bodies = ["a", "b", "a"];
  const result = runScenario((_, count) => toAnswer(bodies[count - 1]), {
    events: [webhookAt(0), refetchAt(10), refetchAt(20)],
    untilSeconds: 100,
  });
  expect(result.record.body?.digest).toBe("a");
  expect(result.object.storage.body).toBe("a");
});

function toAnswer(body = "a"): ScriptedAnswer {
  return { http: 200, status: "completed", body };
}

test("a removal leaves the Catalog even where no upsert is known", () => {
  const result = runScenario(() => DONE, { start: null, events: [refetchAt(0), removeAt(0)] });
  expect(findEffects(result, "unlist").length).toBe(1);
});

test("a control's outputs wait for the end, because the response can still turn out to be none of ours", () => {
  const control = { id: "resp_2", status: "completed", calls: [] };
  const running: ScriptedAnswer = { http: 200, status: "in_progress" };
  const result = runScenario((seconds) => (seconds < 600 ? running : DONE), {
    start: { control: "connection_2" },
    events: [{ at: 30, event: { type: "control_ended" } }],
    control: () => ({ observation: null, control }),
  });
  expect(result.controlAskedAt).toEqual([30]);
  const [first] = findEffects(result, "store_outputs");
  expect(first?.at).toBeGreaterThan(600);
});

test("with RECORD_EXTERNAL off a response that was never seen leaves nothing, even when it is given up", () => {
  const result = runScenario(() => ({ http: 500 }), {
    start: null,
    events: [webhookAt(0)],
    policy: { record_external: false },
  });
  expect(result.stored).toEqual([]);
  expect(result.state).toBeNull();
});

test("with RECORD_EXTERNAL off a refetch by hand still records the response", () => {
  const result = runScenario((_, count) => (count > 1 ? DONE : { http: 500 }), {
    start: null,
    events: [webhookAt(0), refetchAt(1)],
    policy: { record_external: false },
  });
  expect(result.stored).toMatchObject([{ verdict: "captured" }]);
});
