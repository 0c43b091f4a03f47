import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { readExport, type ExportPage } from "../support/export.ts";
import { LONG } from "../support/property-runs.ts";
import { startWorld, type World } from "../support/world.ts";

/** How many records there are; more in the long tests. */
const MANY = LONG ? 10_000 : 2_000;
const MAX_OPERATIONS = 900;

/** The part of the KV binding that fills the store. */
type Store = {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { metadata: unknown }): Promise<void>;
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
});
afterAll(() => world.close());

const ListPage = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** Reads the whole list, and checks that each page takes one KV operation. */
async function listAll(query: string): Promise<{ id: string }[]> {
  const rows: { id: string }[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    world.worker.clearLogs();
    const path = `/results?limit=100&cursor=${encodeURIComponent(cursor)}${query}`;
    const page = ListPage.parse(await (await world.request(path)).json());
    if (world.kvOperations().length !== 1)
      throw new Error("A page took more than one KV operation.");
    rows.push(...page.results);
    cursor = page.cursor;
  }
  return rows;
}

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

test(`${MANY} records are listed newest first and exported page by page, each once, in at most 900 KV operations a page`, async () => {
  const id = await world.trigger();
  const record = await world.waitUntilSettled(id);
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  const value = (await store.get(`record:${id}`)) ?? "";
  const baseRow = { id, status: record.status, verdict: record.verdict };
  const restOfRow = {
    model: null,
    created_at: null,
    completed_at: null,
    calls: 1,
    first_line: "",
    held: false,
  };
  const copy = async (n: number) => {
    const name = `resp_copy${String(n).padStart(5, "0")}`;
    const metadata = {
      ...baseRow,
      ...restOfRow,
      id: name,
      ...(n % 10 === 0 ? { verdict: "lost" } : {}),
    };
    await store.put(`record:${name}`, value.replaceAll(id, name));
    await store.put(`index:${String(n).padStart(13, "0")}:${name}`, "", { metadata });
  };
  for (let n = 0; n < MANY; n += 100)
    await Promise.all(Array.from({ length: 100 }, (_, index) => copy(n + index)));
  const copies = Array.from({ length: MANY }, (_, n) => `resp_copy${String(n).padStart(5, "0")}`);
  const listed = await listAll("");
  // The copies' keys sort before all others, as those of newer runs do.
  expect(listed.slice(0, MANY).map((row) => row.id)).toEqual(copies);
  expect(new Set(listed.map((row) => row.id)).size).toBe(listed.length);
  const lost = await listAll("&verdict=lost");
  const lostCopies = lost.map((row) => row.id).filter((name) => name.startsWith("resp_copy"));
  expect(lostCopies).toEqual(copies.filter((_, n) => n % 10 === 0));
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
