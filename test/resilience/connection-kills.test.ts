// One kill of workerd while many Connections read streams: held and followed runs, and controls.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import {
  CONNECTION_WORKER,
  countStoredItems,
  hangControls,
  inspectConnection,
  listStoredLabels,
  readAllEvents,
  readConnectionName,
  readConnectionNames,
  readEvents,
  setRecorderMode,
  type ReadEvent,
} from "../support/connection-worker.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { replayEvents } from "../support/replay.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

const HELD = 20;
const FOLLOWED = 6;
/** A run that waits when the kill comes. */
const FOREVER = { wait: 600 };
/** Held runs break after so many calls; those of the last stage while a text streams. */
const STAGES = [0, 1, 2, 3, 1];
const STREAMING_STAGE = STAGES.length - 1;

const List = z.object({ results: z.array(z.object({ id: z.string(), verdict: z.string() })) });
const Loss = z.object({ connection: z.string(), kind: z.string(), outcome: z.string() });

type HeldRun = { id: string; connection: string; stage: number; calls: number; seen: ReadEvent };
type FollowedRun = { id: string; connection: string; seen: number };

let world: ProcessWorld;
let held: HeldRun[];
let followed: FollowedRun[];
let unopened: { id: string; control: string };
let lost: { id: string; control: string };
let beforeHandOver: string;

beforeAll(async () => {
  world = await startProcessWorld(
    { queueSeconds: 0.1, runSeconds: 0.1, deltaCharacters: 8, onDisconnect: "cancel" },
    { main: CONNECTION_WORKER },
  );
  held = await Promise.all(Array.from({ length: HELD }, (_, n) => startHeld(n)));
  followed = await Promise.all(Array.from({ length: FOLLOWED }, (_, n) => startFollowed(n)));
  lost = await startControlled("lost");
  await waitUntil(async () => (await countStoredItems(world.url, lost.control)) === 1);
  await hangControls(world.url);
  unopened = await startControlled("unopened");
  await startUnanswered();
  beforeHandOver = await startWithoutHandOver();
  for (const run of held) run.seen = await readLatest(run.connection);
  for (const run of followed) run.seen = (await readLatest(run.connection)).number;
  await world.kill();
  await world.restart();
  // The list asks neither Connections nor Recorders.
  for (const group of ["held", "before-hand-over", "followed"]) await waitUntilListed(group);
}, 300_000);
afterAll(() => world.close());

describe("kill -9 of workerd with 20 held connections", () => {
  test("each notices by its own alarm, keeps the calls that were done, and says where it broke", async () => {
    for (const { id, connection, calls, seen, stage } of held) {
      const record = await read(id);
      const kept = await readAllEvents(world.url, connection);
      const last = kept.at(-1);
      expect(record).toMatchObject({
        status: "cancelled",
        verdict: calls === 0 ? "no_calls" : "recovered",
        held: { broke_at: `${last?.sequenceNumber} ${last?.type}` },
      });
      expect(record.calls).toMatchObject(toExpectedCalls(calls));
      expect(kept.map(({ number }) => number)).toEqual(kept.map((_, index) => index + 1));
      // A stream that was silent had stored everything.
      const isSilent = stage !== STREAMING_STAGE;
      expect(isSilent ? last : kept[seen.number - 1]).toEqual(seen);
    }
  });

  test("no request is sent to OpenAI a second time", async () => {
    const creates = await listCreates();
    for (const { id } of held) {
      const { metadata } = await world.emulator.getRun(id);
      const n = metadata["n"];
      expect(creates.filter((body) => body["n"] === n && body["case"] === "held")).toHaveLength(1);
    }
  });
});

test("a run whose Connection was killed between OpenAI's first event and the hand-over is recorded", async () => {
  expect(await read(beforeHandOver)).toMatchObject({
    status: "cancelled",
    started_by: "trigger",
    metadata: { case: "before-hand-over" },
    held: { broke_at: "1 response.in_progress" },
  });
});

test("a Connection that was killed before OpenAI's first event leaves nothing, and logs may_have_started", async () => {
  await waitUntil(async () => listLosses().some(({ outcome }) => outcome === "may_have_started"));
  const unknown = listLosses().filter(({ outcome }) => outcome === "may_have_started");
  expect(unknown).toMatchObject([{ kind: "held" }]);
  const stored = await inspectConnection(world.url, unknown[0]?.connection ?? "");
  expect(stored).toEqual({ keys: 0, alarm: null, rows: [] });
  expect((await listCreates()).filter((body) => body["case"] === "unanswered")).toHaveLength(1);
  expect(await list("unanswered")).toEqual([]);
});

test("each followed run is taken up again after its last stored event, and has every event once", async () => {
  const requests = await world.emulator.listRequests();
  for (const { id, connection, seen } of followed) {
    // A webhook can settle the list's verdict before the stream was read.
    const record = await waitFor(
      () => read(id),
      ({ settled_at }) => settled_at !== null,
    );
    expect(record).toMatchObject({ status: "completed", held: null });
    expect(record.observations.map(({ channel }) => channel)).toContain("stream");
    const events = await readAllEvents(world.url, connection);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ json }) => json)).toEqual(await replayEvents(world.emulator, id));
    const resumes = requests.filter(({ path, query }) => isResume(id, path, query));
    const after = resumes.map(({ query }) => Number(query["starting_after"]?.[0]));
    expect(after).toHaveLength(1);
    // The own numbers begin with 1, OpenAI's with 0.
    expect(after[0]).toBeGreaterThanOrEqual(seen - 1);
    expect(after[0]).toBeLessThan(events.length - 1);
  }
});

test("a control that was not opened because the Worker died is not_run", async () => {
  expect(await inspectConnection(world.url, unopened.control)).toMatchObject({ keys: 0 });
  const record = await waitForControl(unopened.id);
  expect(record.control).toEqual({ id: null, status: "not_run", calls: [] });
  expect((await listCreates()).filter((body) => body["case"] === "unopened")).toHaveLength(1);
});

test("a control that was lost with the Worker is interrupted, and keeps what had come", async () => {
  const record = await waitForControl(lost.id);
  expect(record.control).toMatchObject({ status: "interrupted", calls: toExpectedCalls(1) });
  expect((await listCreates()).filter((body) => body["case"] === "lost")).toHaveLength(2);
});

async function startHeld(n: number): Promise<HeldRun> {
  const stage = n % STAGES.length;
  const calls = STAGES[stage] ?? 0;
  const codes = Array.from({ length: calls }, (_, index) => toCall(index));
  const rest = stage === STREAMING_STAGE ? { text: "x".repeat(80_000), pace: 0.02 } : FOREVER;
  const metadata = { case: "held", n: String(n) };
  await world.emulator.addScriptFor(metadata, [...codes, rest]);
  const id = await trigger({ hold: true, metadata, tools: CODE_INTERPRETER });
  const connection = await readConnectionName(world.url, id);
  await waitUntil(async () => (await countStoredItems(world.url, connection)) === calls);
  // The silent ones have stored their last event by then.
  if (calls === 0)
    await waitUntil(async () => (await listStoredLabels(world.url, connection)).length > 1);
  const seen = await readLatest(connection);
  return { id, connection, stage, calls, seen };
}

async function startFollowed(n: number): Promise<FollowedRun> {
  const metadata = { case: "followed", n: String(n) };
  const text = { text: "abcdefgh".repeat(150 * (n + 1)), pace: 0.03 };
  await world.emulator.addScriptFor(metadata, [toCall(0), text, toCall(1)]);
  const id = await trigger({ stream: true, metadata, tools: CODE_INTERPRETER });
  const connection = await readConnectionName(world.url, id);
  await waitUntil(async () => (await countStoredItems(world.url, connection)) === 1);
  return { id, connection, seen: 0 };
}

/** Starts a background run that ends at once; its control has a call, and then waits. */
async function startControlled(name: string): Promise<{ id: string; control: string }> {
  const metadata = { case: name };
  await world.emulator.addScriptFor(metadata, [toCall(0)]);
  await world.emulator.addScriptFor(metadata, [toCall(0), FOREVER]);
  const id = await trigger({ control: true, metadata, tools: CODE_INTERPRETER });
  const { control } = await readConnectionNames(world.url, id);
  if (control === null) throw new Error(`${id} has no control.`);
  return { id, control };
}

/** Starts a held run whose create is answered long after the kill. */
async function startUnanswered(): Promise<void> {
  const metadata = { case: "unanswered" };
  const rule = { method: "POST", path: "^/v1/responses$", metadata, times: -1 };
  await world.emulator.addFault({ ...rule, kind: "delay", seconds: 600 });
  void trigger({ hold: true, metadata }).catch(() => undefined);
  await waitUntil(async () => (await listCreates()).some((body) => body["case"] === "unanswered"));
}

/** Starts a held run whose Recorder does not answer; returns its id, which its caller never gets. */
async function startWithoutHandOver(): Promise<string> {
  const metadata = { case: "before-hand-over" };
  await setRecorderMode(world.url, "hangs");
  await world.emulator.addScriptFor(metadata, [FOREVER]);
  void trigger({ hold: true, metadata }).catch(() => undefined);
  const runs = await waitFor(
    () => world.emulator.listRuns(),
    (all) => all.some((run) => run.metadata["case"] === metadata.case),
  );
  const { id = "" } = runs.find((run) => run.metadata["case"] === metadata.case) ?? {};
  await waitUntil(async () => world.output().includes(`"event":"connection_open","id":"${id}"`));
  return id;
}

function trigger(body: Record<string, unknown>): Promise<string> {
  return world.trigger({ input: "scripted", ...body });
}

function toCall(index: number): { code: string } {
  return { code: `print("call ${index}")` };
}

function toExpectedCalls(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    outputs: [{ type: "logs", logs: `call ${index}\n` }],
  }));
}

/** The last event that a Connection has stored. */
async function readLatest(connection: string): Promise<ReadEvent> {
  const labels = await listStoredLabels(world.url, connection);
  const number = Number(labels.at(-1)?.split(" ", 1)[0]);
  for await (const event of readEvents(world.url, connection, number)) return event;
  throw new Error(`${connection} has no events.`);
}

async function list(group: string): Promise<z.infer<typeof List>["results"]> {
  const answer = await world.request(`/results?limit=100&metadata[case]=${group}`);
  return List.parse(await answer.json()).results;
}

async function waitUntilListed(group: string): Promise<void> {
  const count = { held: HELD, followed: FOLLOWED }[group] ?? 1;
  await waitUntil(async () => {
    const rows = await list(group);
    return rows.length === count && rows.every(({ verdict }) => verdict !== "pending");
  });
}

async function read(id: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}`)).json());
}

function waitForControl(id: string): Promise<ResponseRecord> {
  return waitFor(
    () => read(id),
    ({ control }) => control !== null,
  );
}

/** The metadata of each create that has reached OpenAI. */
async function listCreates(): Promise<Record<string, unknown>[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(isCreate).map(({ body }) => CreateBody.parse(body).metadata);
}

const CreateBody = z.object({ metadata: z.record(z.string(), z.unknown()) });

function isCreate({ method, path }: LoggedRequest): boolean {
  return method === "POST" && path === "/v1/responses";
}

function isResume(id: string, path: string, query: LoggedRequest["query"]): boolean {
  return path === `/v1/responses/${id}` && "starting_after" in query;
}

function listLosses(): z.infer<typeof Loss>[] {
  const lines = world.output().match(/^\{"event":"connection_lost".*$/gm) ?? [];
  return lines.map((line) => Loss.parse(JSON.parse(line)));
}
