import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { startWorld, type World } from "../support/world.ts";

/** `npm run test:long` takes ten thousand. */
const MANY = process.env["LONG_TESTS"] === undefined ? 2_000 : 10_000;
const MOST_OPERATIONS = 900;
const Failure = z.object({ error: z.object({ code: z.string() }) });
const Last = z.object({ cursor: z.string().nullable() });

/** As much of the Worker's environment as it takes to fill the store. */
type Store = { get(key: string): Promise<string | null> } & {
  put(key: string, value: string, options?: { metadata: unknown }): Promise<void>;
  delete(key: string): Promise<void>;
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
});
afterAll(() => world.close());

type Page = { records: unknown[]; cursor: string | null; operations: number };

async function page(cursor: string | null, more = ""): Promise<Page> {
  world.worker.clearLogs();
  const answer = await world.ask(
    `/results.ndjson?cursor=${encodeURIComponent(cursor ?? "")}${more}`,
  );
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).trimEnd().split("\n");
  const values = lines.map((line): unknown => JSON.parse(line));
  const last = Last.parse(values.at(-1));
  return { records: values.slice(0, -1), cursor: last.cursor, operations: world.kv().length };
}

async function pages(): Promise<Page[]> {
  const all = [await page(null)];
  for (let last = all[0]; last?.cursor !== null && last !== undefined; last = all.at(-1))
    all.push(await page(last.cursor));
  return all;
}

function ids(all: Page[]): string[] {
  return all.flatMap(({ records }) => records.map((record) => ResponseRecord.parse(record).id));
}

test("an export holds each record as it is read by its id, and says when it ends", async () => {
  await world.emulate({ streamOutputs: "present" });
  const made = [
    await world.trigger(),
    await world.trigger({ control: true }),
    await world.trigger({ replay: true }),
    await world.trigger({ input: "emulator: fail" }),
  ];
  for (const id of made) await world.settled(id);
  const { records, cursor } = await page(null);
  expect(cursor).toBeNull();
  for (const id of made) {
    const whole: unknown = await (await world.ask(`/results/${id}`)).json();
    expect(records).toContainEqual(whole);
  }
  expect(records).toHaveLength(made.length);
});

test("a run in flight is in it as it is known, and its key is not read", async () => {
  const id = await world.trigger({ input: "emulator: run 600 seconds" });
  const { records } = await page(null);
  expect(records).toContainEqual(expect.objectContaining({ id, verdict: "pending" }));
  expect(world.kv().filter(({ key }) => key === `record:${id}`)).toEqual([]);
  await world.ask(`/results/${id}/cancel`, { method: "POST" });
  await world.settled(id);
});

test.each(["limit=0", "limit=51", "limit=x"])(
  "%s is refused, and what to do is said",
  async (query) => {
    const answer = await world.ask(`/results.ndjson?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/bad_query|bad_cursor/);
  },
);

/** A cursor that the list has given out. */
async function given(): Promise<string> {
  await world.trigger();
  const first: unknown = await (await world.ask("/results?limit=1")).json();
  return z.object({ cursor: z.string() }).parse(first).cursor;
}

test("a cursor that was given out leads on, in the list and in the export", async () => {
  const cursor = encodeURIComponent(await given());
  for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`])
    expect((await world.ask(path)).status).toBe(200);
});

const TAMPERED: [string, (cursor: string) => string][] = [
  ["a letter", () => "x"],
  ["a dot", () => "."],
  ["KV's own", (cursor) => cursor.slice(cursor.indexOf(".") + 1)],
  ["another place", (cursor) => `${cursor.slice(0, 65)}${btoa("record:resp_a")}`],
  ["another signature", (cursor) => `${"0".repeat(64)}${cursor.slice(64)}`],
  ["a letter more", (cursor) => `${cursor}A`],
  ["a letter less", (cursor) => cursor.slice(0, -1)],
  ["a NUL", (cursor) => `${cursor}\0`],
  ["a way up", () => "../record:"],
  ["an emoji", () => "🙂"],
  ["2,001 characters", () => "x".repeat(2_001)],
];

test.each(TAMPERED)("a cursor that became %s is refused", async (_, tamper) => {
  const cursor = encodeURIComponent(tamper(await given()));
  for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`]) {
    const answer = await world.ask(path);
    expect([path, answer.status]).toEqual([path, 400]);
    expect(Failure.parse(await answer.json()).error.code).toMatch(/^bad_(cursor|query)$/);
  }
});

test("it wants the access token", async () => {
  const answer = await world.ask("/results.ndjson", { headers: { authorization: "Bearer no" } });
  expect(answer.status).toBe(401);
});

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
  const all = await pages();
  const seen = ids(all);
  expect(seen.filter((name) => name.startsWith("resp_copy"))).toHaveLength(MANY);
  expect(new Set(seen).size).toBe(seen.length);
  for (const { operations } of all) expect(operations).toBeLessThanOrEqual(MOST_OPERATIONS);
  const free = await page(null, "&limit=6");
  expect(free.records).toHaveLength(6);
  expect(free.operations).toBeLessThanOrEqual(50);
}, 600_000);
