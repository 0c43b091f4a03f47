// What a response costs, where it does not depend on the machine. docs/operations.md has the table, and docs/performance.md the rest.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
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

/** Some KiB more than the bundle had when its pages learned to show every kind of item. */
const MAX_BUNDLE_KIB = 310;
/** Of a run that settles at its first observation, its expiry included. */
const MAX_ROWS_WRITTEN = 16;
/** Requests to objects of such a run. */
const MAX_OBJECT_REQUESTS = 7;
const OTHER_RECORDS = 200;

/** What a Connection takes: to open it, to read it, to let it go, its own removal, and the Recorder's when the record expires. */
const CONNECTION_REQUESTS = [
  "connection alarm",
  "connection lastResponse",
  "connection open",
  "connection release",
  "connection remove",
  "connection report",
];
/** Of a run of a second, whose 27 events come at once. */
const MAX_CONNECTION_ROWS = 50;

const Created = z.object({ id: z.string() });

type Costs = RunCosts & { verdict: string };

let world: World;
/** By the names of REQUESTS. */
const costs = new Map<string, Costs>();

const CREATE = "POST responses";
const RETRIEVE = "GET responses/ID";
const CONTAINER = ["GET containers/ID", "GET containers/ID/files"];
/** A list that is empty is asked for once more. */
const EMPTY_CONTAINER = ["GET containers/ID/files", "GET containers/ID/files"];
const FILE_CONTENT = "GET containers/ID/files/ID/content";

const WRITES_FILES = toPythonInput(
  "for name in 'ab': open(f'/mnt/data/{name}.txt', 'w').write(name)\nprint('done')",
);

/** What is triggered, one after another, and the emulator's settings that differ. `hasConversation`: the request names a new one. */
const REQUESTS: Record<
  string,
  { body: object; hasConversation?: boolean; settings?: EmulatorSettings }
> = {
  "no call": { body: { input: "hello" } },
  call: { body: {} },
  held: { body: { hold: true } },
  // Its webhook comes after the end of its stream, or of its control.
  followed: { body: { stream: true }, settings: { streamOutputs: "present", webhookDelay: 2 } },
  control: { body: { control: true }, settings: { webhookDelay: 2 } },
  files: { body: { input: WRITES_FILES, tools: CODE_INTERPRETER } },
  conversation: {
    body: { input: toPythonInput("print('done')"), tools: CODE_INTERPRETER },
    hasConversation: true,
    settings: { backgroundOutputs: "empty", conversationOutputs: "present" },
  },
  late: { body: {}, settings: { backgroundOutputs: "late:5" } },
};
const USUAL_SETTINGS: EmulatorSettings = { backgroundOutputs: "present", webhookDelay: 0 };
/** The request that is triggered once more with waiting readers, and once more when other records are stored. */
const REPEATED = "call";

// All records live at the same time, so that their seconds are waited for once.
beforeAll(async () => {
  world = await startCostWorld();
  const runs = new Map<string, MeasuredRun>();
  for (const [name, { body, hasConversation = false, settings = {} }] of Object.entries(REQUESTS)) {
    await world.emulator.configure({ ...USUAL_SETTINGS, ...settings });
    const conversation = hasConversation ? { conversation: await createConversation() } : {};
    runs.set(name, await runToEnd(world, { ...body, ...conversation }));
  }
  await world.emulator.configure(USUAL_SETTINGS);
  runs.set("waited for", await runToEnd(world, REQUESTS[REPEATED]?.body, 10));
  await listOthers();
  runs.set("among others", await runToEnd(world, REQUESTS[REPEATED]?.body));
  for (const [name, run] of runs) {
    costs.set(name, { ...(await measureLife(world, run)), verdict: run.verdict });
  }
});
afterAll(() => world.close());

async function createConversation(): Promise<string> {
  const answer = await world.emulator.sendToApi("/conversations", { method: "POST", body: "{}" });
  return Created.parse(await answer.json()).id;
}

async function listOthers(): Promise<void> {
  const catalog = await getCatalog(world);
  for (let number = 0; number < OTHER_RECORDS; number += 1) {
    await catalog.upsert(createEntry({ id: `resp_other_${number}` }, { text: "other" }), 1);
  }
}

function listConnectionRequests(objectRequests: string[]): string[] {
  return objectRequests.filter((one) => one.startsWith("connection")).toSorted();
}

// `more`: rows of the Recorder and the Catalog beyond those of a background run.
function expectRows(
  { rowsWritten, connectionRows }: Pick<Costs, "rowsWritten" | "connectionRows">,
  more: number,
): void {
  expect(connectionRows).toBeGreaterThan(0);
  expect(connectionRows).toBeLessThanOrEqual(MAX_CONNECTION_ROWS);
  expect(rowsWritten - connectionRows).toBeLessThanOrEqual(MAX_ROWS_WRITTEN + more);
}

function getCosts(name: string): Costs {
  const found = costs.get(name);
  if (found === undefined) throw new Error(`nothing was measured: ${name}`);
  return found;
}

test.each([
  ["no call", "no_calls", [RETRIEVE, CREATE]],
  ["call", "captured", [...EMPTY_CONTAINER, RETRIEVE, CREATE]],
  ["among others", "captured", [...EMPTY_CONTAINER, RETRIEVE, CREATE]],
])(
  "a run that settles at its first observation (%s) costs one KV write, at most 16 rows and 7 requests to objects, and no more requests to OpenAI than it must",
  (name, verdict, openai) => {
    const { objectRequests, rowsWritten, ...others } = getCosts(name);
    expect(others).toEqual({ verdict, openai, kvWrites: ["record:ID"], connectionRows: 0 });
    expect(objectRequests.length).toBeLessThanOrEqual(MAX_OBJECT_REQUESTS);
    expect(rowsWritten).toBeLessThanOrEqual(MAX_ROWS_WRITTEN);
  },
);

test("a held run costs one KV write, no retrieve, 13 requests to objects, and the rows of its Connection besides its own", () => {
  const { verdict, openai, kvWrites, objectRequests, ...rows } = getCosts("held");
  expect({ verdict, openai, kvWrites }).toEqual({
    verdict: "captured",
    openai: [...EMPTY_CONTAINER, CREATE],
    kvWrites: ["record:ID"],
  });
  expect(objectRequests.toSorted()).toEqual([
    "catalog remove",
    "catalog upsert",
    "catalog upsert",
    ...CONNECTION_REQUESTS,
    "recorder alarm",
    "recorder alarm",
    "recorder connectionEnded",
    "recorder start",
  ]);
  expectRows(rows, 1);
});

test("a followed run costs what a background run does, and its Connection", () => {
  const { verdict, openai, kvWrites, objectRequests, ...rows } = getCosts("followed");
  expect({ verdict, openai, kvWrites }).toEqual({
    verdict: "captured",
    openai: [...EMPTY_CONTAINER, RETRIEVE, CREATE],
    kvWrites: ["record:ID"],
  });
  expect(listConnectionRequests(objectRequests)).toEqual(CONNECTION_REQUESTS);
  // One more than those of a held run for its webhook, and two for a status that came by the stream.
  expect(objectRequests.length).toBeLessThanOrEqual(16);
  expectRows(rows, 7);
});

test("a control costs one create, one KV write for its outputs, and a Connection", () => {
  const { verdict, openai, kvWrites, objectRequests, ...rows } = getCosts("control");
  expect({ verdict, openai, kvWrites }).toEqual({
    verdict: "captured",
    openai: [...EMPTY_CONTAINER, RETRIEVE, CREATE, CREATE],
    kvWrites: ["record:ID", "outputs:ID:control"],
  });
  // The Recorder asks a control whether it still runs before it reads its end.
  expect(listConnectionRequests(objectRequests)).toEqual([
    ...CONNECTION_REQUESTS,
    "connection report",
  ]);
  expect(objectRequests.length).toBeLessThanOrEqual(17);
  expectRows(rows, 10);
});

test("a response costs the same when 200 other records are stored", () => {
  expect(getCosts("among others")).toEqual(getCosts(REPEATED));
});

test("readers that wait cost neither a row nor a request to OpenAI", () => {
  expect(getCosts("waited for")).toEqual(getCosts(REPEATED));
});

test("each file costs a KV write, and the record one more when its files are copied", () => {
  const { openai, kvWrites } = getCosts("files");
  expect(openai).toEqual([...CONTAINER, FILE_CONTENT, FILE_CONTENT, RETRIEVE, CREATE]);
  expect(kvWrites).toEqual(["record:ID", "file:ID:ID", "file:ID:ID", "record:ID"]);
});

test("another channel that had outputs costs a KV write", () => {
  const { verdict, kvWrites } = getCosts("conversation");
  expect(verdict).toBe("recovered");
  expect(kvWrites.toSorted()).toEqual(["outputs:ID:conversation", "record:ID"]);
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
