// A Catalog that was lost is made again from KV's records.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { getTestCatalog, getTestRecorder, startCatalogWorld } from "../../support/catalog.ts";
import { ErrorBody } from "../../support/contract.ts";
import { CODE_INTERPRETER, toPythonInput } from "../../support/inputs.ts";
import { REFUSED_CURSOR } from "../../support/refused-cursor.ts";
import { waitUntil } from "../../support/wait.ts";
import type { World } from "../../support/world.ts";

const Rebuilt = z.strictObject({
  listed: z.number(),
  failed: z.array(z.string()),
  cursor: z.string().nullable(),
});
const Page = z.looseObject({ results: z.array(z.looseObject({ id: z.string() })) });
const Started = z.object({ id: z.string() });

/** A word that a run prints, but that its request lacks. */
const PRINTED = "wombat";
const PRINT_REVERSED = `print("tabmow"[::-1])`;

let world: World;
let ids: string[];
let vanished: string;
beforeAll(async () => {
  world = await startCatalogWorld({ interpreters: 1, backgroundOutputs: "present" });
  ids = [];
  for (const code of [PRINT_REVERSED, "print(1)", "x = 1"]) ids.push(await runCode(code));
  await world.emulator.configure({ backgroundOutputs: "empty" });
  ids.push(await runCode("print(2)", { control: true }));
  vanished = await runCode("print('vanished ' + 'numbat')", {
    hold: true,
    metadata: { user: "a" },
  });
  ids.push(vanished);
  for (const id of ids) {
    await waitUntil(async () => (await getTestRecorder(world, id)).isBodyInKv());
  }
});
beforeEach(() => emptyCatalog());
afterAll(() => world.close());

async function runCode(code: string, params: Record<string, unknown> = {}): Promise<string> {
  const body = JSON.stringify({ input: toPythonInput(code), tools: CODE_INTERPRETER, ...params });
  const answer = await world.request("/trigger", { method: "POST", body });
  const { id } = Started.parse(await answer.json());
  await world.waitUntilSettled(id);
  return id;
}

async function emptyCatalog(): Promise<void> {
  const catalog = await getTestCatalog(world);
  for (const table of ["runs", "texts"]) await catalog.runSql(`DELETE FROM ${table}`);
}

async function rebuildPage(query: Record<string, string>): Promise<z.infer<typeof Rebuilt>> {
  const path = `/catalog/rebuild?${new URLSearchParams(query).toString()}`;
  const answer = await world.request(path, { method: "POST" });
  expect(answer.status).toBe(200);
  return Rebuilt.parse(await answer.json());
}

/** Calls the route until it has listed every record; returns how many it says it listed. */
async function rebuild(limit: number): Promise<number> {
  let listed = 0;
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = await rebuildPage({ cursor, limit: String(limit) });
    expect(page.failed).toEqual([]);
    listed += page.listed;
    ({ cursor } = page);
  }
  return listed;
}

/** Loses the Recorder of one of the runs. */
async function vanish(): Promise<void> {
  await (await getTestRecorder(world, vanished)).vanish().catch(() => undefined);
}

async function readJson(path: string): Promise<unknown> {
  return (await world.request(path)).json();
}

async function listIds(query = ""): Promise<string[]> {
  return Page.parse(await readJson(`/results?limit=100${query}`)).results.map(({ id }) => id);
}

/** What readers see of the Catalog. */
async function readCatalog(): Promise<unknown[]> {
  const paths = ["/results?limit=100", `/results?q=${PRINTED}`, "/results?q=numbat", "/stats"];
  return Promise.all(paths.map(readJson));
}

test("POST /catalog/rebuild lists every record again, page by page, as it was, and a second time changes nothing", async () => {
  expect(await listIds()).toEqual([]);
  expect(await rebuild(2)).toBe(ids.length);
  expect(await listIds()).toEqual(ids.toReversed());
  expect(await listIds(`&q=${PRINTED}`)).toEqual([ids[0]]);
  expect(await listIds("&q=numbat&metadata[user]=a&held=true")).toEqual([vanished]);
  expect(await listIds("&verdict=lost")).toEqual([ids[3]]);
  const before = await readCatalog();
  expect(await rebuild(45)).toBe(ids.length);
  expect(await readCatalog()).toEqual(before);
});

test("POST /catalog/rebuild replaces rows that are wrong", async () => {
  const catalog = await getTestCatalog(world);
  await rebuild(45);
  const before = await readCatalog();
  await catalog.runSql("UPDATE runs SET verdict = 'gone', first_line = 'wrong', total_tokens = 7");
  await rebuild(45);
  expect(await readCatalog()).toEqual(before);
});

test("POST /catalog/rebuild does not bring back a deleted run, nor one whose record is gone", async () => {
  const deleted = await runCode("print('deleted')");
  expect((await world.request(`/results/${deleted}`, { method: "DELETE" })).status).toBe(204);
  await emptyCatalog();
  expect(await rebuild(45)).toBe(ids.length);
  expect(await listIds()).not.toContain(deleted);
});

test("POST /catalog/rebuild lists a record whose Recorder is gone, until KV's value expires, and leaves a newer row", async () => {
  await rebuild(45);
  const before = await readCatalog();
  await vanish();
  await emptyCatalog();
  expect(await rebuild(45)).toBe(ids.length);
  expect(await readCatalog()).toEqual(before);
  const catalog = await getTestCatalog(world);
  const newer = "verdict = 'suspect', version = version + 1";
  await catalog.runSql(`UPDATE runs SET ${newer} WHERE id = '${vanished}'`);
  await rebuild(45);
  expect(await listIds("&verdict=suspect")).toEqual([vanished]);
});

test("POST /catalog/rebuild answers 400 bad_cursor to a cursor that KV refuses", async () => {
  const answer = await world.request(`/catalog/rebuild?cursor=${REFUSED_CURSOR}`, {
    method: "POST",
  });
  expect(answer.status).toBe(400);
  expect(ErrorBody.parse(await answer.json()).error.code).toBe("bad_cursor");
});

test("POST /catalog/rebuild names the records that it could not list, and they are listed when it is called again", async () => {
  const catalog = await getTestCatalog(world);
  await vanish();
  await catalog.setDown(true);
  const { failed, listed } = await rebuildPage({});
  await catalog.setDown(false);
  expect(listed + failed.length).toBe(ids.length);
  expect(failed).toContain(vanished);
  expect(await rebuild(45)).toBe(ids.length);
  await waitUntil(async () => (await listIds()).length === ids.length);
});

test("a Catalog with the tables of an older version lists and counts its runs", async () => {
  const catalog = await getTestCatalog(world);
  await rebuild(45);
  const before = await listIds();
  await catalog.runSql("ALTER TABLE runs DROP COLUMN readable_ms");
  await catalog.runSql("ALTER TABLE runs DROP COLUMN total_tokens");
  await catalog.restart().catch(() => undefined);
  expect(await listIds()).toEqual(before);
  expect(await readJson("/stats")).toMatchObject({ runs: ids.length, tokens: { runs: 0 } });
  await emptyCatalog();
  await rebuild(45);
  expect(await readJson("/stats")).toMatchObject({
    runs: ids.length,
    tokens: { runs: ids.length },
  });
});
