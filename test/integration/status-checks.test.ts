// While a reader waits for the end of a run in flight, its status is asked for. No webhook comes, and the time between two checks is shortened.
// The Worker is a process of its own: the test harness would hide from it that a reader has left.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { IMPATIENT_WORKER, STATUS_CHECK_SECONDS } from "../support/impatient-worker.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { readRecord } from "../support/run-requests.ts";
import { waitFor, waitUntil } from "../support/wait.ts";
import { createV1Client } from "./v1/v1-client.ts";

let world: ProcessWorld;
beforeAll(async () => {
  const emulator = { webhookUrl: null, queueSeconds: 0.1, interpreters: 0 };
  world = await startProcessWorld(emulator, { main: IMPATIENT_WORKER });
});
beforeEach(() => world.emulator.clearRequests());
afterAll(() => world.close());

const PAUSE_MS = STATUS_CHECK_SECONDS * 1000;
const LONG = { input: "emulator: run 600 seconds" };
const SHORT = { input: "emulator: run 7 seconds" };

async function listRetrievals(id: string): Promise<LoggedRequest[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "GET" && path.endsWith(id));
}

async function waitForEnd(id: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}?wait=60`)).json());
}

/** Reads the events of a run until one is a status, and leaves. */
async function readStatus(id: string): Promise<unknown> {
  const { body } = await world.request(`/results/${id}/events`);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const data = /^event: status\ndata: (.*)\n\n/m.exec(text)?.[1];
    // Leaving the loop closes the connection.
    if (data !== undefined) return JSON.parse(data);
  }
  throw new Error(`No status came: ${text}`);
}

test("readers that wait share one check at a time, and it shows the end, without a webhook", async () => {
  const id = await world.trigger(SHORT);
  const readers = Array.from({ length: 4 }, () => waitForEnd(id));
  const events = await world.request(`/results/${id}/events`);
  const inFlight = await waitFor(
    () => readRecord(world, id),
    ({ status }) => status === "in_progress",
  );
  expect(inFlight).toMatchObject({ verdict: "pending", observations: [], recorded_at: null });
  const [ended] = await Promise.all(readers);
  expect(ended).toMatchObject({ status: "completed", verdict: "no_calls" });
  expect(ended?.observations).toMatchObject([{ channel: "refetch", status: "completed" }]);
  expect(ended?.status_at).toBe(ended?.observations[0]?.at);
  await events.text();
  const times = (await listRetrievals(id)).map(({ at }) => Date.parse(at));
  const lastedMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  expect(times.length).toBeGreaterThan(1);
  expect(times.length).toBeLessThanOrEqual(Math.ceil(lastedMs / PAUSE_MS) + 1);
  const writes = world
    .output()
    .split("\n")
    .filter((line) => line.includes(`"record:${id}"`));
  expect(writes).toHaveLength(1);
});

test("GET /results/:id/events sends each status that was asked for, and asks no more when its reader has left", async () => {
  const id = await world.trigger(LONG);
  const status = z.object({ status: z.string(), at: z.iso.datetime() });
  const first = status.parse(await readStatus(id));
  const next = await waitFor(
    async () => status.parse(await readStatus(id)),
    ({ at }) => at > first.at,
  );
  expect(next.status).toBe("in_progress");
  expect(await readRecord(world, id)).toMatchObject({ status: "in_progress", observations: [] });
  // That its reader has left is noticed at the next write.
  await waitUntil(async () => {
    const { length } = await listRetrievals(id);
    await sleep(3 * PAUSE_MS);
    return (await listRetrievals(id)).length === length;
  });
});

test("without a reader that waits, a run in flight is not asked for", async () => {
  const id = await world.trigger(LONG);
  const created = await readRecord(world, id);
  await sleep(2 * PAUSE_MS);
  await world.request("/results");
  expect(await readRecord(world, id)).toEqual(created);
  expect(await listRetrievals(id)).toEqual([]);
});

test("a held run is not asked for", async () => {
  const { create } = createV1Client(world.url);
  const { id } = await create({
    ...SHORT,
    model: "m",
    background: true,
    metadata: {},
    tools: CODE_INTERPRETER,
  });
  expect(await waitForEnd(id)).toMatchObject({
    status: "completed",
    held: { broke_at: null },
  });
  const retrievals = await listRetrievals(id);
  expect(retrievals).toEqual([]);
});

test("a webhook's end during a wait is recorded as before", async () => {
  await world.emulator.configure({ webhookUrl: `${world.url}/webhook` });
  const id = await world.trigger({ input: "emulator: run 3 seconds" });
  const record = await waitForEnd(id);
  expect(record).toMatchObject({ status: "completed", webhook: { type: "response.completed" } });
  expect(record.observations).toHaveLength(1);
  await world.emulator.configure({ webhookUrl: null });
});
