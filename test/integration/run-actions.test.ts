// What callers do with recorded runs: refetch, cancel, delete.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1" });
});
beforeEach(() => world.emulator.configure({ backgroundOutputs: "empty" }));
afterAll(() => world.close());

const PRINTING_INPUT = toPythonInput("print('naïve – 数据')");
const PRINTED = [{ type: "logs", logs: "naïve – 数据\n" }];

test("a record never gets worse, whatever a later refetch shows", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  await world.waitUntilSettled(id);
  for (const patch of [
    { status: "in_progress", output: [] },
    { output: [] },
    { status: "failed" },
  ]) {
    await world.emulator.addFault({ method: "GET", path: id, times: 1, kind: "replace", patch });
    const record = await refetch(id);
    expect(record).toMatchObject({
      status: "completed",
      verdict: "captured",
      calls: [{ outputs: PRINTED }],
    });
  }
  await world.emulator.configure({ backgroundOutputs: "empty" });
  expect(await refetch(id)).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
  const last = await refetch(id);
  expect(last).toMatchObject({
    status: "completed",
    verdict: "captured",
    calls: [{ outputs: PRINTED }],
  });
  expect(last.response).not.toBeNull();
});

test("POST /results/:id/refetch finds outputs after the end, and records an id never seen", async () => {
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  expect((await world.waitUntilSettled(id)).verdict).toBe("suspect");
  await world.emulator.configure({ backgroundOutputs: "present" });
  expect(await refetch(id)).toMatchObject({
    verdict: "recovered",
    calls: [{ outputs: PRINTED }],
  });
  await world.emulator.configure({ webhookDrop: true });
  const created = await world.emulator.sendToApi("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "m", input: "hello", background: true }),
  });
  const external = z.object({ id: z.string() }).parse(await created.json()).id;
  expect(await refetch(external)).toMatchObject({
    id: external,
    started_by: "refetch",
    status: "completed",
  });
  await world.emulator.configure({ webhookDrop: false });
});

test("POST /results/:id/refetch can be repeated, and DELETE /results/:id works after it", async () => {
  const id = await world.trigger({ input: "hello" });
  await world.waitUntilSettled(id);
  for (let observations = 2; observations < 5; observations += 1) {
    expect((await refetch(id)).observations).toHaveLength(observations);
  }
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.request(`/results/${id}`)).status).toBe(404);
});

test("DELETE /results/:id removes the record, its files and its row in the list", async () => {
  const id = await world.trigger({
    input: toPythonInput("open('/mnt/data/a.txt', 'w').write('a');"),
    tools: CODE_INTERPRETER,
  });
  const record = await world.waitUntilSettled(id);
  expect(record.files).toMatchObject([{ filename: "a.txt", reason: null }]);
  const answer = await world.request(`/results/${id}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
  for (const path of ["", "/outputs", "/response", `/files/${record.files[0]?.id}`]) {
    expect((await world.request(`/results/${id}${path}`)).status).toBe(404);
  }
  const list = await (await world.request("/results?limit=100")).text();
  expect(list).not.toContain(id);
  const env = await world.worker.getWorker<{ RECORDS: KvBinding }>().getEnv();
  const { keys } = await env.RECORDS.list();
  expect(keys.filter((key) => key.name.includes(id))).toEqual([]);
});

test("GET /results/:id answers 200 or 404 while the run is deleted", async () => {
  const ids = await Promise.all([1, 2, 3, 4].map(() => world.trigger({ input: "hello" })));
  const statuses = await Promise.all(
    ids.map(async (id) => {
      await world.waitUntilSettled(id);
      const readers = [1, 2, 3].map(() => readUntilGone(id));
      await world.request(`/results/${id}`, { method: "DELETE" });
      return Promise.all(readers);
    }),
  );
  expect(new Set(statuses.flat(2))).toEqual(new Set([200, 404]));
});

/** Reads a record until it is not there any more; returns the statuses. */
async function readUntilGone(id: string): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.at(-1) !== 404) {
    const answer = await world.request(`/results/${id}`);
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

type KvBinding = { list(): Promise<{ keys: { name: string }[] }> };

test("POST /results/:id/cancel cancels a run in flight, and answers 409 after its end", async () => {
  const id = await world.trigger({ input: "emulator: run 60 seconds" });
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(202);
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "cancelled" });
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(409);
});

/** Refetches a response; returns its record once it is settled. */
async function refetch(id: string): Promise<ResponseRecord> {
  const before = await world.request(`/results/${id}`);
  expect([200, 404]).toContain(before.status);
  expect((await world.request(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  return world.waitUntilSettled(id);
}
