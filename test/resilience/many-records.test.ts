import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { readExport, type ExportPage } from "../support/export.ts";
import { LONG } from "../support/property-runs.ts";
import { startWorld, type World } from "../support/world.ts";

/** The long tests have more records. */
const MANY = LONG ? 10_000 : 2_000;
const MAX_OPERATIONS = 900;

/** As much of the Worker's environment as it takes to fill the store. */
type Store = {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { metadata: unknown }): Promise<void>;
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
});
afterAll(() => world.close());

const Listed = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** The whole list, page by page, each of which takes one KV operation. */
async function list(query: string): Promise<{ id: string }[]> {
  const lines: { id: string }[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    world.worker.clearLogs();
    const path = `/results?limit=100&cursor=${encodeURIComponent(cursor)}${query}`;
    const found = Listed.parse(await (await world.ask(path)).json());
    if (world.kv().length !== 1) throw new Error("a page took more than one KV operation");
    lines.push(...found.results);
    cursor = found.cursor;
  }
  return lines;
}

async function exportAll(): Promise<ExportPage[]> {
  const all = [await readExport(world, null)];
  for (let last = all[0]; last?.cursor !== null && last !== undefined; last = all.at(-1))
    all.push(await readExport(world, last.cursor));
  return all;
}

function ids(all: ExportPage[]): string[] {
  return all.flatMap(({ records }) => records.map((record) => ResponseRecord.parse(record).id));
}

test(`${MANY} records are listed newest first and exported page by page, each once, in at most 900 KV operations a page`, async () => {
  const id = await world.trigger();
  const record = await world.settled(id);
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  const value = (await store.get(`record:${id}`)) ?? "";
  const row = { id, status: record.status, verdict: record.verdict };
  const rest = {
    model: null,
    created_at: null,
    completed_at: null,
    calls: 1,
    first_line: "",
    held: false,
  };
  const copy = async (n: number) => {
    const name = `resp_copy${String(n).padStart(5, "0")}`;
    const metadata = { ...row, ...rest, id: name, ...(n % 10 === 0 ? { verdict: "lost" } : {}) };
    await store.put(`record:${name}`, value.replaceAll(id, name));
    await store.put(`index:${String(n).padStart(13, "0")}:${name}`, "", { metadata });
  };
  for (let n = 0; n < MANY; n += 100)
    await Promise.all(Array.from({ length: 100 }, (_, more) => copy(n + more)));
  const copies = Array.from({ length: MANY }, (_, n) => `resp_copy${String(n).padStart(5, "0")}`);
  const listed = await list("");
  // The copies' keys stand before all others, as those of newer runs would.
  expect(listed.slice(0, MANY).map((line) => line.id)).toEqual(copies);
  expect(new Set(listed.map((line) => line.id)).size).toBe(listed.length);
  const lost = await list("&verdict=lost");
  const copied = lost.map((line) => line.id).filter((name) => name.startsWith("resp_copy"));
  expect(copied).toEqual(copies.filter((_, n) => n % 10 === 0));
  const all = await exportAll();
  const seen = ids(all);
  expect(seen.filter((name) => name.startsWith("resp_copy"))).toHaveLength(MANY);
  expect(new Set(seen).size).toBe(seen.length);
  for (const { operations } of all) expect(operations).toBeLessThanOrEqual(MAX_OPERATIONS);
  const free = await readExport(world, null, "&limit=6");
  expect(free.records).toHaveLength(6);
  expect(free.operations).toBeLessThanOrEqual(50);
}, 600_000);
