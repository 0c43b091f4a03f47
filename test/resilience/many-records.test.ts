import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import type { CatalogRow } from "../../src/objects/catalog/row.ts";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { readExport, type ExportPage } from "../support/export.ts";
import { LONG } from "../support/property-runs.ts";
import { copyRun, RECORDER_WORKER } from "../support/recorder-worker.ts";
import { waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

/** How many records there are; more in the long tests. */
const MANY = LONG ? 10_000 : 500;
const MAX_OPERATIONS = 900;
const COPIES_AT_ONCE = 100;

type Store = { get(key: string): Promise<string | null> };

let world: World;
beforeAll(async () => {
  const main = RECORDER_WORKER;
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" }, {}, { main });
});
afterAll(() => world.close());

const ListPage = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** Reads the whole list, and checks that no page takes a KV operation. */
async function listAll(query: string): Promise<{ id: string }[]> {
  const rows: { id: string }[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    world.worker.clearLogs();
    const path = `/results?limit=100&cursor=${encodeURIComponent(cursor)}${query}`;
    const page = ListPage.parse(await (await world.request(path)).json());
    if (world.kvOperations().length > 0) throw new Error("A page took a KV operation.");
    rows.push(...page.results);
    cursor = page.cursor;
  }
  return rows;
}

function toName(n: number): string {
  // As long as an id of the emulator, so that a copied body keeps its length.
  return `resp_copy${String(n).padStart(44, "0")}`;
}

function toText(n: number): string {
  return `the ${n % 50 === 0 ? "seldom" : "usual"} text of copy ${n}`;
}

function toFeatures(n: number): Partial<CatalogRow> {
  return {
    verdict: n % 10 === 0 ? "lost" : "captured",
    status: n % 3 === 0 ? "failed" : "completed",
    model: n % 100 === 0 ? "gpt-rare" : "gpt-usual",
    started_by: n % 4 === 0 ? "v1" : "trigger",
    held: n % 4 === 0,
    metadata: { user: `u${n % 20}` },
  };
}

const FILTERS: [query: string, matches: (n: number) => boolean][] = [
  ["&verdict=lost", (n) => n % 10 === 0],
  ["&verdict=pending", () => false],
  ["&status=failed", (n) => n % 3 === 0],
  ["&model=gpt-rare", (n) => n % 100 === 0],
  ["&started_by=v1&held=true", (n) => n % 4 === 0],
  ["&metadata[user]=u7", (n) => n % 20 === 7],
  ["&q=seldom", (n) => n % 50 === 0],
  ["&q=the+text+of+copy", () => true],
  ["&q=copy+7", (n) => n === 7],
  ["&q=text+sel", (n) => n % 50 === 0],
  ["&q=seldom&verdict=lost&status=failed&model=gpt-rare", (n) => n % 300 === 0],
];

async function exportAll(): Promise<ExportPage[]> {
  const pages: ExportPage[] = [];
  let cursor: string | null = null;
  do {
    const page: ExportPage = await readExport(world, cursor);
    pages.push(page);
    cursor = page.cursor;
  } while (cursor !== null);
  return pages;
}

function toIds(pages: ExportPage[]): string[] {
  return pages.flatMap(({ records }) => records.map((record) => ResponseRecord.parse(record).id));
}

test(`${MANY} records are listed newest first, found by every filter, and exported page by page, each once, in at most 900 KV operations a page`, async () => {
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  await waitUntil(async () => (await store.get(`record:${id}`)) !== null);
  const catalog = await getCatalog(world);
  const nowMs = Date.now();
  const list = async (n: number) => {
    const row = { id: toName(n), ...toFeatures(n) };
    await catalog.upsert(createEntry(row, { startedAtMs: nowMs - n, text: toText(n) }), 1);
  };
  const copies = Array.from({ length: MANY }, (_, n) => toName(n));
  for (let n = 0; n < MANY; n += COPIES_AT_ONCE) {
    await copyRun(world.url, { id, copies: copies.slice(n, n + COPIES_AT_ONCE) });
    await Promise.all(Array.from({ length: COPIES_AT_ONCE }, (_, index) => list(n + index)));
  }
  const listed = await listAll("");
  const listedCopies = listed.map((row) => row.id).filter((name) => name !== id);
  expect(listedCopies).toEqual(copies);
  expect(new Set(listed.map((row) => row.id)).size).toBe(listed.length);
  for (const [query, matches] of FILTERS) {
    const found = (await listAll(query)).map((row) => row.id).filter((name) => name !== id);
    expect([query, found]).toEqual([query, copies.filter((_, n) => matches(n))]);
  }
  const pages = await exportAll();
  const exported = toIds(pages);
  expect(exported.filter((name) => name.startsWith("resp_copy"))).toHaveLength(MANY);
  expect(new Set(exported).size).toBe(exported.length);
  for (const { operations } of pages) expect(operations).toBeLessThanOrEqual(MAX_OPERATIONS);
  // The free plan allows 50 operations a request.
  const small = await readExport(world, null, "&limit=6");
  expect(small.records).toHaveLength(6);
  expect(small.operations).toBeLessThanOrEqual(50);
}, 600_000);
