// What Connections store, and what happens while they can't store, or can't reach a Recorder.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import {
  ALL_CONNECTIONS,
  CONNECTION_WORKER,
  acceptWrites,
  countRefusedWrites,
  countStoredItems,
  inspectConnection,
  listStoredLabels,
  readAllEvents,
  readConnectionName,
  readEvents,
  refuseWrites,
  setRecorderMode,
  type ReadEvent,
} from "../support/connection-worker.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { waitFor, waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

/** Events are packed into rows of this size. */
const ROW_BYTES = 64 * 1024;

const Refusal = z.object({ error: z.object({ code: z.string(), id: z.string() }) });

let world: World;
beforeAll(async () => {
  world = await startWorld({ deltaCharacters: 8 }, {}, {}, { main: CONNECTION_WORKER });
});
afterAll(() => world.close());

test("every finished item ends a row, and small events are packed", async () => {
  const name = await runToEnd("packed", [
    call(0),
    { text: "abcdefgh".repeat(2_000) },
    call(1),
    call(2),
  ]);
  const events = await readAllEvents(world.url, name);
  const labels = await listStoredLabels(world.url, name);
  const items = events.filter(({ type }) => type === "response.output_item.done");
  expect(items).toHaveLength(4);
  expect(labels).toEqual(expect.arrayContaining(items.map(toLabel)));
  expect(events.length).toBeGreaterThan(2_000);
  expect(labels.length).toBeLessThan(events.length / 20);
  expect(labels.at(-1)).toContain("response.completed");
});

test("a row has 64 KiB and the event that fills it", async () => {
  const name = await runToEnd("filled", [{ text: "abcdefgh".repeat(2_000) }]);
  const events = await readAllEvents(world.url, name);
  const { rows } = await inspectConnection(world.url, name);
  const total = events.reduce((sum, { json }) => sum + json.length, 0);
  const small = events.filter(({ json }) => json.length < ROW_BYTES);
  const largestSmall = Math.max(...small.map(({ json }) => json.length));
  const packed = rows.filter(({ head }) => head?.includes(".delta") === true);
  expect(packed.length).toBeGreaterThan(1);
  // The row's head and each event's number take some bytes.
  for (const { bytes } of packed) expect(bytes).toBeLessThan(ROW_BYTES + largestSmall + 256);
  expect(rows.length).toBeGreaterThan(total / (2 * ROW_BYTES));
});

test.each([{ hold: true }, { stream: true }])(
  "nothing of a stream is lost when storage refuses writes while it is read: %o",
  async (kind) => {
    const text = { text: "abcdefgh".repeat(50), pace: 0.02 };
    const metadata = { case: `refused ${JSON.stringify(kind)}` };
    await world.emulator.addScriptFor(metadata, [call(0), text, call(1), text, call(2)]);
    const id = await trigger({ ...kind, metadata });
    const name = await readConnectionName(world.url, id);
    await waitUntil(async () => (await countStoredItems(world.url, name)) === 1);
    await refuseWrites(world.url, name);
    // The second call is finished, and its event could not be stored.
    await waitUntil(async () => (await world.emulator.getRun(id)).calls.length > 1);
    const refused = await countRefusedWrites(world.url, name);
    await waitUntil(async () => (await countRefusedWrites(world.url, name)) > refused + 1);
    expect(await countStoredItems(world.url, name)).toBe(1);
    await acceptWrites(world.url, name);

    const record = await world.waitUntilSettled(id);
    expect(record.calls.map(({ id: one }) => one)).toHaveLength(3);
    const events = await readAllEvents(world.url, name);
    // OpenAI counts from 0.
    expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, n) => n));
    expect(events.filter(({ type }) => type === "response.output_item.done")).toHaveLength(5);
    expect(events.at(-1)?.type).toBe("response.completed");
    expect(record.status).toBe("completed");
  },
);

test("events that storage refused are stored although no other event follows", async () => {
  const metadata = { case: "silent" };
  const text = { text: "abcdefgh".repeat(100), pace: 0.02, takes: 600 };
  await world.emulator.addScriptFor(metadata, [text]);
  const id = await trigger({ hold: true, metadata });
  const name = await readConnectionName(world.url, id);
  await refuseWrites(world.url, name);
  const last = await readUntil(name, "response.content_part.done");
  const refused = await countRefusedWrites(world.url, name);
  await waitUntil(async () => (await countRefusedWrites(world.url, name)) > refused);
  await acceptWrites(world.url, name);
  const labels = await waitFor(
    () => listStoredLabels(world.url, name),
    (stored) => stored.at(-1) === toLabel(last),
  );
  expect(labels).not.toContainEqual(expect.stringContaining("output_item.done"));
  await remove(id);
});

test("a run whose first event storage refuses for a moment is opened and recorded", async () => {
  const metadata = { case: "first" };
  const rule = { method: "POST", path: "^/v1/responses$", metadata };
  await world.emulator.addFault({ ...rule, kind: "delay", seconds: 2 });
  await world.emulator.addScriptFor(metadata, [call(0)]);
  await world.emulator.clearRequests();
  const started = trigger({ hold: true, metadata });
  await waitUntil(async () => (await countCreates()) === 1);
  await refuseWrites(world.url, ALL_CONNECTIONS);
  await waitUntil(async () => (await countRefusedWrites(world.url, ALL_CONNECTIONS)) > 0);
  await acceptWrites(world.url, ALL_CONNECTIONS);
  expect(await world.waitUntilSettled(await started)).toMatchObject({ verdict: "captured" });
  expect(await countCreates()).toBe(1);
});

test.each([{ hold: true }, { stream: true }])(
  "POST /trigger answers 503 handover_failed with the id while the Recorder can't be reached, and the run appears later: %o",
  async (kind) => {
    const metadata = { case: `unreachable ${JSON.stringify(kind)}` };
    await world.emulator.addScriptFor(metadata, [call(0)]);
    await world.emulator.clearRequests();
    await setRecorderMode(world.url, "refuses");
    const body = JSON.stringify({ ...kind, input: "x", metadata, tools: CODE_INTERPRETER });
    const answer = await world.request("/trigger", { method: "POST", body });
    expect(answer.status).toBe(503);
    const { error } = Refusal.parse(await answer.json());
    expect(error.code).toBe("handover_failed");
    await setRecorderMode(world.url, "works");
    // No caller triggers again.
    await waitUntil(async () => (await world.request(`/results/${error.id}`)).status === 200);
    const record = await world.waitUntilSettled(error.id);
    expect(record).toMatchObject({ status: "completed", started_by: "trigger", metadata });
    expect(record.calls).toHaveLength(1);
    expect(record.request).not.toBeNull();
    expect(await countCreates()).toBe(1);
  },
);

test.each([
  ["on", { broke_at: null }],
  ["off", null],
])(
  "POST /v1/responses answers 503 handover_failed with the id while the Recorder can't be reached, which no SDK retries, and the run appears later, X-Recorder-Hold: %s",
  async (hold, held) => {
    const metadata = { case: `unreachable by v1 ${hold}` };
    await world.emulator.addScriptFor(metadata, [call(0)]);
    await world.emulator.clearRequests();
    await setRecorderMode(world.url, "refuses");
    const request = { model: "m", input: "x", metadata, tools: CODE_INTERPRETER, background: true };
    const answer = await world.request("/v1/responses", {
      method: "POST",
      body: JSON.stringify(request),
      headers: { "x-recorder-hold": hold },
    });
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([503, "false"]);
    const { error } = Refusal.parse(await answer.json());
    expect(error.code).toBe("handover_failed");
    await setRecorderMode(world.url, "works");
    await waitUntil(async () => (await world.request(`/results/${error.id}`)).status === 200);
    const record = await world.waitUntilSettled(error.id);
    expect(record).toMatchObject({ status: "completed", metadata, held });
    expect(record.calls).toHaveLength(1);
    expect(await countCreates()).toBe(1);
  },
);

function call(index: number): { code: string } {
  return { code: `print("call ${index}")` };
}

function toLabel({ sequenceNumber, type }: { sequenceNumber: number; type: string }): string {
  return `${sequenceNumber} ${type}`;
}

function trigger(body: Record<string, unknown>): Promise<string> {
  return world.trigger({ input: "x", tools: CODE_INTERPRETER, ...body });
}

/** Holds a run to its end; returns its Connection's name. */
async function runToEnd(name: string, steps: object[]): Promise<string> {
  const metadata = { case: name };
  await world.emulator.addScriptFor(metadata, steps);
  const id = await trigger({ hold: true, metadata });
  const connection = await readConnectionName(world.url, id);
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({ status: "completed", held: { broke_at: null } });
  return connection;
}

/** Reads a Connection until an event of a type comes. */
async function readUntil(name: string, type: string): Promise<ReadEvent> {
  for await (const event of readEvents(world.url, name, 0)) if (event.type === type) return event;
  throw new Error(`${name} ended before ${type}.`);
}

async function remove(id: string): Promise<void> {
  const answer = await world.request(`/results/${id}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
}

async function countCreates(): Promise<number> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses")
    .length;
}
