// npm run export, as its users run it.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startChild } from "../support/child.ts";
import { startCuttingProxy, type CuttingProxy } from "../support/cutting-proxy.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { containing } from "../support/matchers.ts";
import { RECORDER_WORKER, replaceState } from "../support/recorder-worker.ts";
import { READ_TOKEN, startWorld, TOKEN, type World } from "../support/world.ts";

/** More than a page of the export. */
const RUNS = 55;
const WRITE_FILE = "open('/mnt/data/a b.txt', 'w').write('kept ' * 1000)";

const Stored = z.looseObject({
  id: z.string(),
  verdict: z.string(),
  files: z.array(z.looseObject({ id: z.string(), url: z.string().nullable() })),
});

let world: World;
let proxy: CuttingProxy;
let ids: string[];
let withFile: string;

beforeAll(async () => {
  const settings = { backgroundOutputs: "present" as const, queueSeconds: 0, runSeconds: 0 };
  world = await startWorld(
    { ...settings, interpreters: 1 },
    { REFETCH_DELAYS: "0" },
    { READ_TOKEN },
    { unlimited: true, main: RECORDER_WORKER },
  );
  proxy = await startCuttingProxy(world.url);
  ids = [];
  for (let run = 1; run < RUNS; run += 1) ids.push(await world.trigger({ input: `Run ${run}` }));
  withFile = await world.trigger({ tools: CODE_INTERPRETER, input: toPythonInput(WRITE_FILE) });
  ids.push(withFile);
  await Promise.all(ids.map((id) => world.waitUntilSettled(id)));
});
afterAll(async () => {
  await proxy.close();
  await world.close();
});

type Store = { delete(key: string): Promise<void> };

/** The key under which KV has the file of a record. */
function readFileKey(record: unknown): string {
  const { id, files } = Stored.parse(record);
  return `file:${id}:${files[0]?.id}`;
}

type Exported = { code: number | null; output: string };

/** Runs the command, without the tokens of this process. */
async function runExport(
  out: string,
  options: string[] = [],
  env: Record<string, string> = { READ_TOKEN },
): Promise<Exported> {
  const command = ["npm", "run", "-s", "export", "--", "--out", out, "--url", proxy.url];
  const child = startChild([...command, ...options], env);
  const code = await child.waitForExit();
  return { code, output: child.output() };
}

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "response-recorder-export-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The files of a folder, each with when it was written. */
function listFiles(folder: string): Map<string, number> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), statSync(path).mtimeMs]),
  );
}

function readStored(folder: string, id: string): z.infer<typeof Stored> {
  return Stored.parse(JSON.parse(readFileSync(join(folder, "records", `${id}.json`), "utf8")));
}

/** Checks that a folder has each record as the recorder returns it, and nothing else. */
async function expectComplete(folder: string): Promise<void> {
  const names = ids.map((id) => `records/${id}.json`);
  const records = [...listFiles(folder).keys()].filter((path) => path.startsWith("records/"));
  expect(records.toSorted()).toEqual(names.toSorted());
  for (const id of [ids[0] ?? "", withFile]) {
    expect(readStored(folder, id)).toEqual(await (await world.request(`/results/${id}`)).json());
  }
}

test("npm run export copies every record, and with --files what the code wrote; the same again writes nothing", async () => {
  const folder = createFolder();
  const { code, output } = await runExport(folder, ["--files"]);
  expect([code, output]).toEqual([
    0,
    `${folder}: ${RUNS} records added, 0 refreshed, 0 were there. 1 files added.\n`,
  ]);
  await expectComplete(folder);
  const [file] = readStored(folder, withFile).files;
  const path = join(folder, "files", withFile, `${file?.id}-a_b.txt`);
  const served = await (await world.request(file?.url ?? "")).text();
  expect(readFileSync(path, "utf8")).toBe(served);
  expect(served).toContain("kept kept");

  const before = listFiles(folder);
  proxy.paths.length = 0;
  const again = await runExport(folder, ["--files"]);
  expect([again.code, again.output]).toEqual([
    0,
    `${folder}: 0 records added, 0 refreshed, ${RUNS} were there. 0 files added.\n`,
  ]);
  expect(listFiles(folder)).toEqual(before);
  expect(new Set(proxy.paths)).toEqual(new Set(["/results"]));
});

test("npm run export adds new runs, refreshes those that were in flight, and --files comes later too", async () => {
  const folder = createFolder();
  const inFlight = await world.trigger({ input: "emulator: run 600 seconds" });
  ids.push(inFlight);
  expect((await runExport(folder)).code).toBe(0);
  expect(readStored(folder, inFlight).verdict).toBe("pending");
  await world.request(`/results/${inFlight}/cancel`, { method: "POST" });
  await world.waitUntilSettled(inFlight);
  const added = await world.trigger({ input: "A new run" });
  ids.push(added);
  await world.waitUntilSettled(added);
  const before = listFiles(folder);
  const { code, output } = await runExport(folder, ["--files"]);
  expect(code).toBe(0);
  expect(output).toContain("1 records added, 1 refreshed,");
  expect(output).toContain("1 files added");
  expect(readStored(folder, inFlight).verdict).not.toBe("pending");
  const changed = [...listFiles(folder)].filter(([path, at]) => before.get(path) !== at);
  expect(changed).toHaveLength(3);
  await expectComplete(folder);
});

test("npm run export reads a record again that was exported before its files were copied", async () => {
  const folder = createFolder();
  expect((await runExport(folder, ["--files"])).code).toBe(0);
  const whole = readStored(folder, withFile);
  const path = join(folder, "records", `${withFile}.json`);
  writeFileSync(path, JSON.stringify({ ...whole, files: [] }));
  rmSync(join(folder, "files"), { recursive: true });
  const { code, output } = await runExport(folder, ["--files"]);
  expect([code, output]).toEqual([0, containing("0 records added, 1 refreshed,")]);
  expect(output).toContain("1 files added");
  expect(readStored(folder, withFile)).toEqual(whole);
});

test("npm run export --since copies only what began then or later", async () => {
  const folder = createFolder();
  const since = new Date(Date.now() + 60_000).toISOString();
  const { code, output } = await runExport(folder, ["--since", since]);
  expect([code, output]).toMatchObject([0, expect.stringContaining(": 0 records added")]);
  const wrong = await runExport(folder, ["--since", "yesterday"]);
  expect([wrong.code, wrong.output]).toMatchObject([
    1,
    expect.stringContaining("bad_query: since"),
  ]);
});

// The first page has some fifty records of one kilobyte and more.
const CUTS: [string, RegExp, number][] = [
  ["in the middle of a page", /ndjson/, 20_000],
  ["before the first byte of a page", /ndjson/, 0],
  ["in the middle of the list", /\/results$/, 1_000],
  ["in the middle of a file", /\/files\//, 1_000],
];

test.each(CUTS)(
  "npm run export reads again what was cut off %s, and is complete",
  async (_, path, afterBytes) => {
    const folder = createFolder();
    proxy.cut(path, afterBytes, 2);
    const { code, output } = await runExport(folder, ["--files"]);
    expect([code, output.match(/Trying again\./g)?.length]).toEqual([0, 2]);
    expect(output).toContain(`${ids.length} records added`);
    expect(output).toContain("1 files added");
    await expectComplete(folder);
    expect([...listFiles(folder).keys()].filter((name) => name.endsWith(".part"))).toEqual([]);
  },
);

test("npm run export fails when a page stays cut off, keeps the records that came, and goes on at the next call", async () => {
  const folder = createFolder();
  proxy.cut(/ndjson/, 20_000, 100);
  const { code, output } = await runExport(folder);
  expect(code).toBe(1);
  expect(output).not.toContain("records added");
  const kept = listFiles(folder);
  expect(kept.size).toBeGreaterThan(3);
  expect(kept.size).toBeLessThan(50);
  for (const path of kept.keys()) JSON.parse(readFileSync(join(folder, path), "utf8"));
  proxy.cut(/^$/, 0, 0);
  expect((await runExport(folder)).code).toBe(0);
  await expectComplete(folder);
  const after = listFiles(folder);
  for (const [path, at] of kept) expect([path, after.get(path)]).toEqual([path, at]);
});

test("npm run export replaces a record that is half there", async () => {
  const folder = createFolder();
  await runExport(folder);
  const path = join(folder, "records", `${withFile}.json`);
  writeFileSync(path, readFileSync(path, "utf8").slice(0, 100));
  expect((await runExport(folder)).output).toContain("1 records added");
  await expectComplete(folder);
});

test.each([
  ["no token", {}, /Set READ_TOKEN, or ACCESS_TOKEN/],
  [
    "a wrong token",
    { ACCESS_TOKEN: "not-the-token-at-all" },
    /\/results answered 401 unauthorized/,
  ],
] as const)("npm run export fails with %s", async (_, env, message) => {
  const { code, output } = await runExport(createFolder(), [], env);
  expect([code, output]).toMatchObject([1, expect.stringMatching(message)]);
  expect(output).not.toContain("Trying again");
});

test("npm run export takes ACCESS_TOKEN and RECORDER from the environment, and prints no token", async () => {
  const folder = createFolder();
  const env = { ACCESS_TOKEN: TOKEN, RECORDER: proxy.url };
  const child = startChild(["npm", "run", "-s", "export", "--", "--out", folder], env);
  expect([await child.waitForExit(), child.output()]).toMatchObject([
    0,
    expect.stringContaining(`${ids.length} records added`),
  ]);
  expect(child.output()).not.toContain(TOKEN);
});

test.each([
  ["http://recorder.example", /must begin with https/],
  ["recorder", /Give the recorder's URL/],
])("npm run export --url %s sends no token", async (url, message) => {
  const { code, output } = await runExport(createFolder(), ["--url", url]);
  expect([code, output]).toMatchObject([1, expect.stringMatching(message)]);
});

test("npm run export reads a record without files again for an hour after its end, and counts it as refreshed when it has changed", async () => {
  const folder = createFolder();
  const id = await world.trigger({ tools: CODE_INTERPRETER, input: toPythonInput("print(1)") });
  ids.push(id);
  await world.waitUntilSettled(id);
  expect((await runExport(folder)).code).toBe(0);
  const path = join(folder, "records", `${id}.json`);
  utimesSync(path, 0, 0);
  const again = await runExport(folder);
  expect(again.output).toContain("0 records added, 0 refreshed,");
  expect(statSync(path).mtimeMs).toBeGreaterThan(0);
  const late = Date.now() / 1000 + 2 * 60 * 60;
  utimesSync(path, late, late);
  proxy.paths.length = 0;
  await runExport(folder);
  expect(new Set(proxy.paths)).toEqual(new Set(["/results"]));
});

test("npm run export fails when the recorder can't read a record, or has a file no more, and copies everything else", async () => {
  const folder = createFolder();
  const unreadable = ids[0] ?? "";
  await replaceState(world.url, { id: unreadable, replace: [["{", "<"]], withoutBody: false });
  const { RECORDS } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  await RECORDS.delete(readFileKey(await (await world.request(`/results/${withFile}`)).json()));
  const { code, output } = await runExport(folder, ["--files"]);
  expect(code).toBe(1);
  expect(output).toContain(`${ids.length - 1} records added`);
  expect(output).toContain("The export is not complete.");
  expect(output).toContain(`  ${unreadable}: The Recorder can't read the record`);
  expect(output).toMatch(new RegExp(`  ${withFile}: .* answered 404 not_stored`));
  expect(listFiles(folder).size).toBe(ids.length - 1);
});

test("npm run export says how it is called when --out is missing", async () => {
  const child = startChild(["npm", "run", "-s", "export"], { READ_TOKEN });
  expect(await child.waitForExit()).toBe(1);
  expect(child.output()).toContain("--out is missing.");
});
