// What a response costs, where it does not depend on the machine. docs/operations.md has the table, and docs/performance.md the rest.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { startChild } from "../support/child.ts";
import {
  measureLife,
  readerRequests,
  runToEnd,
  startCostWorld,
  type MeasuredRun,
  type RunCosts,
} from "../support/costs.ts";
import type { EmulatorSettings } from "../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import type { World } from "../support/world.ts";

/** About a tenth more than the bundle had when this was written. */
const MAX_BUNDLE_KIB = 240;
/** Of a run that settles at its first observation, its expiry included. */
const MAX_ROWS_WRITTEN = 16;
/** Requests to objects of such a run. */
const MAX_OBJECT_REQUESTS = 7;
const OTHER_RECORDS = 200;

type Costs = RunCosts & { verdict: string };

let world: World;
/** By the names of REQUESTS. */
const costs = new Map<string, Costs>();

const CREATE = "POST responses";
const RETRIEVE = "GET responses/ID";
const CONTAINER = ["GET containers/ID", "GET containers/ID/files"];
const FILE_CONTENT = "GET containers/ID/files/ID/content";

const WRITES_FILES = toPythonInput(
  "for name in 'ab': open(f'/mnt/data/{name}.txt', 'w').write(name)\nprint('done')",
);

/** What is triggered, one after another, and the emulator's settings that differ. */
const REQUESTS: Record<string, { body: unknown; settings?: EmulatorSettings }> = {
  "no call": { body: { input: "hello" } },
  call: { body: {} },
  held: { body: { hold: true } },
  files: { body: { input: WRITES_FILES, tools: CODE_INTERPRETER } },
  followed: { body: { stream: true }, settings: { streamOutputs: "present", webhookDrop: true } },
  control: { body: { control: true }, settings: { backgroundOutputs: "empty" } },
  late: { body: {}, settings: { backgroundOutputs: "late:5" } },
};
const SETTINGS: EmulatorSettings = {
  backgroundOutputs: "present",
  streamOutputs: "empty",
  webhookDrop: false,
};
/** The request that is triggered once more when other records are stored. */
const REPEATED = "call";

// All records live at the same time, so that their seconds are waited for once.
beforeAll(async () => {
  world = await startCostWorld();
  const runs = new Map<string, MeasuredRun>();
  for (const [name, { body, settings = {} }] of Object.entries(REQUESTS)) {
    await world.emulator.configure({ ...SETTINGS, ...settings });
    runs.set(name, await runToEnd(world, body));
  }
  await world.emulator.configure(SETTINGS);
  await listOthers();
  runs.set("among others", await runToEnd(world, REQUESTS[REPEATED]?.body));
  for (const [name, run] of runs) {
    costs.set(name, { ...(await measureLife(world, run)), verdict: run.verdict });
  }
});
afterAll(() => world.close());

async function listOthers(): Promise<void> {
  const catalog = await getCatalog(world);
  for (let number = 0; number < OTHER_RECORDS; number += 1) {
    await catalog.upsert(createEntry({ id: `resp_other_${number}` }, { text: "other" }), 1);
  }
}

function getCosts(name: string): Costs {
  const found = costs.get(name);
  if (found === undefined) throw new Error(`nothing was measured: ${name}`);
  return found;
}

test.each([
  ["no call", "no_calls", [RETRIEVE, CREATE]],
  ["call", "captured", [...CONTAINER, RETRIEVE, CREATE]],
  ["among others", "captured", [...CONTAINER, RETRIEVE, CREATE]],
])(
  "a run that settles at its first observation (%s) costs one KV write, at most 16 rows and 7 requests to objects, and no more requests to OpenAI than it must",
  (name, verdict, openai) => {
    const { objectRequests, rowsWritten, ...others } = getCosts(name);
    expect(others).toEqual({ verdict, openai, kvWrites: ["record:ID"] });
    expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
    expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN);
  },
);

// Its Connection is removed when the record expires, which takes an alarm more.
test("a held run costs one KV write, at most 17 rows and 7 requests to objects, and sends OpenAI the create alone", () => {
  const { objectRequests, rowsWritten, ...others } = getCosts("held");
  const openai = [...CONTAINER, CREATE];
  expect(others).toEqual({ verdict: "captured", openai, kvWrites: ["record:ID"] });
  expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
  expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN + 1);
});

test("a followed run costs what a held run does, and 4 rows and 2 requests to objects for its live status", () => {
  const { objectRequests, rowsWritten, ...others } = getCosts("followed");
  const openai = [...CONTAINER, CREATE];
  expect(others).toEqual({ verdict: "captured", openai, kvWrites: ["record:ID"] });
  expect(objectRequests.filter((name) => name === "recorder statusSeen")).toHaveLength(1);
  expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS + 2);
  expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN + 5);
});

test("a response costs the same when 200 other records are stored", () => {
  expect(getCosts("among others")).toEqual(getCosts(REPEATED));
});

test("each file costs a KV write, and the record one more when its files are copied", () => {
  const { openai, kvWrites } = getCosts("files");
  expect(openai).toEqual([...CONTAINER, FILE_CONTENT, FILE_CONTENT, RETRIEVE, CREATE]);
  expect(kvWrites).toEqual(["record:ID", "file:ID:ID", "file:ID:ID", "record:ID"]);
});

test("another channel that had outputs costs a KV write", () => {
  const { verdict, kvWrites } = getCosts("control");
  expect(verdict).toBe("lost");
  expect(new Set(kvWrites)).toEqual(new Set(["outputs:ID:control", "record:ID"]));
  expect(kvWrites.length).toBeLessThanOrEqual(3);
});

test("all observations after the first cost at most one KV write together", () => {
  const { verdict, kvWrites } = getCosts("late");
  expect(verdict).toBe("recovered");
  expect(kvWrites.filter((key) => key !== "record:ID")).toEqual([]);
  expect(kvWrites.length).toBeLessThanOrEqual(2);
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
