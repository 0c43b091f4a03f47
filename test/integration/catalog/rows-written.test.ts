// What the Catalog costs, as Cloudflare bills it. src/objects/catalog/tables.ts has the reasons.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  createEntry,
  getTestCatalog,
  startCatalogWorld,
  type TestCatalogClient,
} from "../../support/catalog.ts";
import type { World } from "../../support/world.ts";

let world: World;
let catalog: TestCatalogClient;
beforeAll(async () => {
  world = await startCatalogWorld();
  catalog = await getTestCatalog(world);
});
// The first call creates the tables.
beforeEach(async () => void (await catalog.takeRowsWritten()));
afterAll(() => world.close());

const STARTED_AT_MS = Date.parse("2026-11-26T10:00:00Z");
const SOON_MS = 30_000;

/** The rows that a call writes. */
async function countRows(call: Promise<unknown>): Promise<number> {
  await call;
  return catalog.takeRowsWritten();
}

test("a run that is captured at once costs 7 rows from its start to its expiry", async () => {
  const id = "resp_rows";
  const times = { startedAtMs: STARTED_AT_MS, expiresAtMs: Date.now() + SOON_MS };
  const start = { ...times, dueAtMs: Date.now() + 120_000, text: "asked" };
  const started = createEntry({ id, verdict: "pending", status: "queued" }, start);
  expect(await countRows(catalog.upsert(started, 1))).toBe(3);
  expect(await countRows(catalog.upsert(started, 1))).toBe(0);
  const ended = createEntry({ id }, { ...times, text: "asked, printed and said" });
  expect(await countRows(catalog.upsert(ended, 2))).toBe(2);
  expect(await countRows(catalog.remove({ id, startedAtMs: STARTED_AT_MS }, 3))).toBe(2);
});

test("a change without a new text costs 1 row, and 1 more when the run is lost", async () => {
  const times = { startedAtMs: STARTED_AT_MS + 1 };
  const put = (verdict: "captured" | "lost", version: number) =>
    countRows(catalog.upsert(createEntry({ id: "resp_change", verdict }, times), version));
  await put("captured", 1);
  expect(await put("captured", 2)).toBe(1);
  expect(await put("lost", 3)).toBe(2);
  expect(await put("captured", 4)).toBe(1);
});

test("a deleted run costs 2 rows, and its tombstone 1 when it is swept", async () => {
  const startedAtMs = STARTED_AT_MS + 2;
  await catalog.upsert(createEntry({ id: "resp_del" }, { startedAtMs, text: "x" }), 1);
  await catalog.takeRowsWritten();
  expect(await countRows(catalog.remove({ id: "resp_del", startedAtMs }, 2))).toBe(2);
});

test("an idempotency key costs a row when it is claimed, answered or released, and removed", async () => {
  const claim = { key: "k", digest: "d", claimant: "a", atMs: 5 };
  expect(await countRows(catalog.claim(claim))).toBe(1);
  expect(await countRows(catalog.claim({ ...claim, claimant: "b" }))).toBe(0);
  expect(await countRows(catalog.overdue(1, Date.now()))).toBe(1);
});

test("a list, a search and cron's call without overdue runs write nothing", async () => {
  await world.request("/results");
  await world.request("/results?q=asked&verdict=lost");
  await catalog.overdue(100, Date.now());
  expect(await catalog.takeRowsWritten()).toBe(0);
});
