import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { createEntry, getCatalog, type CatalogClient } from "../../support/catalog.ts";
import { waitUntil } from "../../support/wait.ts";
import { startWorld, type World } from "../../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const SWEEP_PERIOD_MS = 5 * 60 * 1000;

let world: World;
let catalog: CatalogClient;
beforeAll(async () => {
  world = await startWorld();
  catalog = await getCatalog(world);
});
afterAll(() => world.close());

const Row = z.object({ id: z.string(), status: z.string().nullable() });
const Page = z.object({ results: z.array(Row), cursor: z.string().nullable() });

async function readPage(query = ""): Promise<z.infer<typeof Page>> {
  return Page.parse(await (await world.request(`/results?limit=100&${query}`)).json());
}

/** The status of a run in the list; null when it is not listed. */
async function readStatus(id: string): Promise<string | null> {
  const { results } = await readPage();
  return results.find((row) => row.id === id)?.status ?? null;
}

async function search(q: string): Promise<string[]> {
  return (await readPage(`q=${encodeURIComponent(q)}`)).results.map(({ id }) => id);
}

test("a row with a lower or the same version is ignored", async () => {
  const startedAtMs = Date.now();
  const put = (status: string, version: number) =>
    catalog.upsert(createEntry({ id: "resp_order", status }, { startedAtMs }), version);
  await put("second", 2);
  await put("first", 1);
  await put("again", 2);
  expect(await readStatus("resp_order")).toBe("second");
  await put("third", 3);
  expect(await readStatus("resp_order")).toBe("third");
});

test("a removed run does not come back by a late row, and nothing of it is found", async () => {
  const startedAtMs = Date.now();
  const entry = createEntry({ id: "resp_gone" }, { startedAtMs, text: "wombat" });
  await catalog.upsert(entry, 1);
  expect(await search("wombat")).toEqual(["resp_gone"]);
  await catalog.remove({ id: "resp_gone", startedAtMs }, 5);
  await catalog.upsert(entry, 4);
  expect(await readStatus("resp_gone")).toBeNull();
  expect(await search("wombat")).toEqual([]);
  await catalog.upsert(entry, 6);
  expect(await readStatus("resp_gone")).toBe("completed");
});

test("a removal that comes before the run's first row still counts", async () => {
  const startedAtMs = Date.now();
  await catalog.remove({ id: "resp_early", startedAtMs }, 2);
  await catalog.upsert(createEntry({ id: "resp_early" }, { startedAtMs }), 1);
  expect(await readStatus("resp_early")).toBeNull();
});

test("a late removal does not remove a newer row", async () => {
  const startedAtMs = Date.now();
  await catalog.upsert(createEntry({ id: "resp_newer" }, { startedAtMs }), 3);
  await catalog.remove({ id: "resp_newer", startedAtMs }, 2);
  expect(await readStatus("resp_newer")).toBe("completed");
});

test("the search text is replaced by a new one, and stays when none is given", async () => {
  const startedAtMs = Date.now();
  const put = (text: string | null, version: number) =>
    catalog.upsert(createEntry({ id: "resp_text" }, { startedAtMs, text }), version);
  await put("platypus", 1);
  await put(null, 2);
  expect(await search("platypus")).toEqual(["resp_text"]);
  await put("echidna", 3);
  expect(await search("platypus")).toEqual([]);
  expect(await search("echid")).toEqual(["resp_text"]);
});

test("runs that began in the same millisecond are listed apart", async () => {
  const startedAtMs = Date.now() + 1_000;
  const ids = Array.from({ length: 20 }, (_, n) => `resp_same${n}`);
  await Promise.all(
    ids.map((id) => catalog.upsert(createEntry({ id }, { startedAtMs, text: id }), 1)),
  );
  const { results } = await readPage();
  const listed = results.map(({ id }) => id).filter((id) => ids.includes(id));
  expect(listed.toSorted()).toEqual(ids.toSorted());
  expect(await search("resp_same7")).toEqual(["resp_same7"]);
});

test("an expired run is not listed, and its row is swept within a day of cron's calls", async () => {
  const startedAtMs = Date.now();
  const expiresAtMs = Date.now() + 2_000;
  const entry = createEntry({ id: "resp_old" }, { startedAtMs, expiresAtMs, text: "numbat" });
  await catalog.upsert(entry, 5);
  expect(await readStatus("resp_old")).toBe("completed");
  await waitUntil(async () => (await readStatus("resp_old")) === null);
  expect(await search("numbat")).toEqual([]);
  await catalog.upsert(entry, 6);
  expect(await readStatus("resp_old")).toBeNull();
  for (let part = 0; part < DAY_MS / SWEEP_PERIOD_MS; part += 1) {
    await catalog.overdue(1, Date.now() + part * SWEEP_PERIOD_MS);
  }
  // A row that is gone has no version any more.
  await catalog.upsert({ ...entry, expiresAtMs: Date.now() + DAY_MS }, 1);
  expect(await readStatus("resp_old")).toBe("completed");
});

test("overdue gives the longest overdue runs first, each again only after ten minutes", async () => {
  const nowMs = Date.now();
  const put = (n: number, dueAtMs: number | null) => {
    const entry = { startedAtMs: nowMs - 60_000 - n, dueAtMs };
    return catalog.upsert(createEntry({ id: `resp_due${n}`, verdict: "pending" }, entry), 1);
  };
  await put(1, nowMs - 1_000);
  await put(2, nowMs - 3_000);
  await put(3, nowMs - 2_000);
  await put(4, nowMs + HOUR_MS);
  await catalog.upsert(createEntry({ id: "resp_stored" }, { dueAtMs: nowMs - 500 }), 1);
  await catalog.upsert(createEntry({ id: "resp_removed" }, { startedAtMs: nowMs, dueAtMs: 1 }), 1);
  await catalog.remove({ id: "resp_removed", startedAtMs: nowMs }, 2);
  expect(await catalog.overdue(2, nowMs)).toEqual(["resp_due2", "resp_due3"]);
  expect(await catalog.overdue(100, nowMs)).toEqual(["resp_due1", "resp_stored"]);
  expect(await catalog.overdue(100, nowMs)).toEqual([]);
  await put(3, null);
  await catalog.upsert(
    createEntry({ id: "resp_due2" }, { startedAtMs: nowMs - 60_002, dueAtMs: null }),
    2,
  );
  const later = await catalog.overdue(100, nowMs + 11 * 60_000);
  expect(later.toSorted()).toEqual(["resp_due1", "resp_due3", "resp_stored"]);
});

test("pages stay gapless while runs come and go", async () => {
  const startedAtMs = Date.parse("2026-01-01T00:00:00Z");
  const put = (n: number, version = 1) =>
    catalog.upsert(createEntry({ id: `resp_page${n}` }, { startedAtMs: startedAtMs + n }), version);
  for (let n = 0; n < 60; n += 1) await put(n);
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let page = 0; cursor !== null; page += 1) {
    const query: string = `until=2026-01-01&limit=10&cursor=${cursor}`;
    const found: z.infer<typeof Page> = Page.parse(
      await (await world.request(`/results?${query}`)).json(),
    );
    seen.push(...found.results.map(({ id }) => id));
    cursor = found.cursor;
    // A newer run comes, the page's last run changes, and one that was listed goes.
    await put(100 + page);
    await put(59 - page * 10 - 9, 2);
    await catalog.remove(
      { id: `resp_page${59 - page * 10}`, startedAtMs: startedAtMs + 59 - page * 10 },
      9,
    );
  }
  expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => `resp_page${59 - n}`));
});
