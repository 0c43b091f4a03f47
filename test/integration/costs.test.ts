// What a response costs, where it does not depend on the machine. docs/operations.md has the table, and docs/performance.md the rest.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { startChild } from "../support/child.ts";
import { measureLife, readerRequests, runToEnd, startCostWorld } from "../support/costs.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import type { World } from "../support/world.ts";

/** About a tenth more than the bundle had when this was written. */
const MAX_BUNDLE_KIB = 240;
/** Of a run that settles at its first observation, its expiry included. */
const MAX_ROWS_WRITTEN = 16;
/** Requests to objects of such a run. */
const MAX_OBJECT_REQUESTS = 7;
const OTHER_RECORDS = 200;

let world: World;
beforeAll(async () => {
  world = await startCostWorld();
});
afterAll(() => world.close());

const CREATE = "POST responses";
const RETRIEVE = "GET responses/ID";
const CONTAINER = ["GET containers/ID", "GET containers/ID/files"];
const FILE_CONTENT = "GET containers/ID/files/ID/content";

const WRITES_FILES = toPythonInput(
  "for name in 'ab': open(f'/mnt/data/{name}.txt', 'w').write(name)\nprint('done')",
);

/** The costs of a run's whole life, with the parts that come in no fixed order sorted. */
async function measureCosts(body: unknown) {
  const run = await runToEnd(world, body);
  const costs = await measureLife(world, run);
  return { ...costs, verdict: run.verdict, openai: run.openai.toSorted() };
}

test("a response without calls costs a create, a retrieve and one KV write, and at most 16 rows and 7 requests to objects", async () => {
  const { objectRequests, rowsWritten, ...costs } = await measureCosts({ input: "hello" });
  expect(costs).toEqual({
    verdict: "no_calls",
    openai: [RETRIEVE, CREATE],
    kvWrites: ["record:ID"],
  });
  expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
  expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN);
});

test("a response with a call costs a look at its container and a listing more, and no other rows, requests or KV writes", async () => {
  const { objectRequests, rowsWritten, ...costs } = await measureCosts({});
  expect(costs).toEqual({
    verdict: "captured",
    openai: [...CONTAINER, RETRIEVE, CREATE],
    kvWrites: ["record:ID"],
  });
  expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
  expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN);
});

test("a held run costs no retrieve, and as many rows, requests and KV writes as a background run", async () => {
  const { objectRequests, rowsWritten, ...costs } = await measureCosts({ hold: true });
  expect(costs).toEqual({
    verdict: "captured",
    openai: [...CONTAINER, CREATE],
    kvWrites: ["record:ID"],
  });
  expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
  expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN);
});

test("each file costs a KV write, and the record one more when its files are copied", async () => {
  const input = { input: WRITES_FILES, tools: CODE_INTERPRETER };
  const { openai, kvWrites } = await measureCosts(input);
  expect(openai).toEqual([...CONTAINER, FILE_CONTENT, FILE_CONTENT, RETRIEVE, CREATE]);
  expect(kvWrites).toEqual(["record:ID", "file:ID:ID", "file:ID:ID", "record:ID"]);
});

test("another channel that had outputs costs a KV write", async () => {
  await world.emulator.configure({ backgroundOutputs: "empty", streamOutputs: "present" });
  const { verdict, kvWrites } = await measureCosts({ replay: true });
  await world.emulator.configure({ backgroundOutputs: "present" });
  expect(verdict).toBe("recovered");
  expect(kvWrites.toSorted()).toEqual(["outputs:ID:stream", "record:ID"]);
});

test("all observations after the first cost at most one KV write together", async () => {
  await world.emulator.configure({ backgroundOutputs: "late:5" });
  const { verdict, kvWrites } = await measureCosts({});
  await world.emulator.configure({ backgroundOutputs: "present" });
  expect(verdict).toBe("recovered");
  expect(kvWrites.filter((key) => key !== "record:ID")).toEqual([]);
  expect(kvWrites.length).toBeLessThanOrEqual(2);
});

test("a response costs the same when 200 other records are stored", async () => {
  const before = await measureCosts({});
  const catalog = await getCatalog(world);
  for (let number = 0; number < OTHER_RECORDS; number += 1) {
    await catalog.upsert(createEntry({ id: `resp_other_${number}` }, { text: "other" }), 1);
  }
  expect(await measureCosts({})).toEqual(before);
});

test("GET /results/:id asks the Recorder once, and once more for a body that KV may not show yet", async () => {
  const { id } = await runToEnd(world, { input: "hello" });
  expect(readerRequests(world, id)).toEqual(["read", "readBody"]);
});

test(`the bundle has at most ${MAX_BUNDLE_KIB} KiB, gzipped`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run"];
  const child = startChild([process.execPath, ...wrangler, "--outdir", folder]);
  const [, gzipped] = await child.waitForOutput(/Total Upload: .* gzip: ([\d.]+) KiB/);
  expect(await child.waitForExit()).toBe(0);
  await rm(folder, { recursive: true });
  expect(Number(gzipped)).toBeGreaterThan(0);
  expect(Number(gzipped)).toBeLessThanOrEqual(MAX_BUNDLE_KIB);
});
