// Records that can't be read, or whose body KV has lost: they hide no other record, and can be deleted.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { containing } from "../support/matchers.ts";
import { RECORDER_WORKER, replaceState } from "../support/recorder-worker.ts";
import { waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  const settings = { backgroundOutputs: "present" as const };
  world = await startWorld(settings, {}, {}, { main: RECORDER_WORKER });
});
afterAll(() => world.close());

type Store = { get(key: string): Promise<string | null>; delete(key: string): Promise<void> };

async function openStore(): Promise<Store> {
  const { RECORDS } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  return RECORDS;
}

async function triggerStored(): Promise<string> {
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const store = await openStore();
  await waitUntil(async () => (await store.get(`record:${id}`)) !== null);
  return id;
}

const List = z.object({ results: z.array(z.looseObject({ id: z.string() })) });
const Line = z.looseObject({ id: z.string(), error: z.unknown() });

async function readExport(): Promise<{ lines: z.infer<typeof Line>[]; last: unknown }> {
  const text = await (await world.request("/results.ndjson")).text();
  const lines = text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  return { lines: lines.slice(0, -1).map((line) => Line.parse(line)), last: lines.at(-1) };
}

async function loseBody(id: string): Promise<void> {
  const state = await replaceState(world.url, {
    id,
    // The rows were dropped, and KV had the body.
    replace: [['"rows":{"body_digest":"', '"rows":{"body_digest":null,"was":"']],
    withoutBody: true,
  });
  expect(state).toContain('"rows":{"body_digest":null');
  await (await openStore()).delete(`record:${id}`);
}

const ask = (path: string, init?: RequestInit) => world.request(path, init);

test("a record whose body KV has lost shows what is known without it, in every form, and a refetch by hand stores it again", async () => {
  const [before, id, after] = [await triggerStored(), await triggerStored(), await triggerStored()];
  await loseBody(id);
  const error = { code: "not_stored", message: containing(`/results/${id}/refetch`) };
  const record: unknown = await (await ask(`/results/${id}`)).json();
  expect(record).toMatchObject({ id, verdict: "captured", error, response: null });
  const page = await ask(`/results/${id}`, { headers: { accept: "text/html" } });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("KV does not show the stored response");
  for (const path of ["outputs", "response"]) {
    const answer = await ask(`/results/${id}/${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "not_stored" } });
  }
  const { lines, last } = await readExport();
  expect(lines).toContainEqual(record);
  expect(lines.map((line) => line.id)).toEqual(expect.arrayContaining([before, after]));
  expect(last).toEqual({ cursor: null });

  expect((await ask(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured", error: null });
  const store = await openStore();
  await waitUntil(async () => (await store.get(`record:${id}`)) !== null);
  expect(await (await ask(`/results/${id}/outputs`)).text()).toBe("BG_STDOUT_OK\n");
});

test("a record whose body KV has lost can be deleted", async () => {
  const id = await triggerStored();
  await loseBody(id);
  expect((await ask(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await ask(`/results/${id}`)).status).toBe(404);
});

test.each([
  ["of another version", '{"version":1,', '{"version":99,'],
  ["with an odd member", '"revision":', '"was":'],
  ["that is no JSON", "{", "<"],
])("a state %s hides no other record, says so, and can be deleted", async (_, from, to) => {
  const [id, other] = [await triggerStored(), await triggerStored()];
  await replaceState(world.url, { id, replace: [[from, to]], withoutBody: false });
  const error = { code: "not_stored", message: containing(`DELETE /results/${id}`) };
  for (const path of ["", "/outputs", "/response"]) {
    const answer = await ask(`/results/${id}${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { ...error, id } });
  }
  for (const path of ["/refetch", "/cancel"]) {
    const answer = await ask(`/results/${id}${path}`, { method: "POST" });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error });
  }
  expect(await (await ask(`/results/${id}/events`)).text()).toContain("event: end");
  const { lines, last } = await readExport();
  expect(lines).toContainEqual({ id, error });
  expect(lines.map((line) => line.id)).toContain(other);
  expect(last).toEqual({ cursor: null });

  const store = await openStore();
  expect(await store.get(`record:${id}`)).not.toBeNull();
  expect((await ask(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await ask(`/results/${id}`)).status).toBe(404);
  expect((await ask(`/results/${id}`, { method: "DELETE" })).status).toBe(404);
  await waitUntil(async () => (await store.get(`record:${id}`)) === null);
  if (from === "{") return;
  await waitUntil(async () => !(await (await ask("/results?limit=100")).text()).includes(id));
});

test("a row of the list that can't be read names its run, as JSON and on the page, and hides no other row", async () => {
  const other = await triggerStored();
  const id = "resp_odd_row";
  const row = { ...createEntry({ id }).row, created_at: "2026-11-20 or so" };
  await (await getCatalog(world)).upsert({ ...createEntry({ id }), row }, 1);
  const error = { code: "not_stored", message: containing(`/results/${id}`) };
  const { results } = List.parse(await (await ask("/results?limit=100")).json());
  expect(results).toContainEqual({ id, error });
  expect(results.map((listed) => listed.id)).toContain(other);
  const page = await (await ask("/results", { headers: { accept: "text/html" } })).text();
  expect(page).toContain(`href="/results/${id}"`);
  expect(page).toContain(`href="/results/${other}"`);
  const { lines, last } = await readExport();
  expect(lines.map((line) => line.id)).toContain(other);
  expect(last).toEqual({ cursor: null });
});
