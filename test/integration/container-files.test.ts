import { afterAll, beforeAll, expect, test } from "vitest";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { containing } from "../support/matchers.ts";
import { waitFor, waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" });
});
afterAll(() => world.close());

const MIB = 1024 * 1024;

const WRITES_FILES = toPythonInput(`
from pathlib import Path
here = Path('/mnt/data')
(here / 'report.csv').write_text('a,b\\n1,2\\n')
(here / 'large.bin').write_bytes(bytes(range(256)) * (20 * 4096))
(here / 'huge.bin').write_bytes(b'x' * (30 * 1024 * 1024))
(here / 'naïve – 数据.txt').write_text('naïve')
None
`);

test("GET /results/:id/files/:file_id returns files byte for byte after their container expired, and the record names those that are too large", async () => {
  const record = await world.waitUntilSettled(
    await world.trigger({ input: WRITES_FILES, tools: CODE_INTERPRETER }),
  );
  const run = await world.emulator.getRun(record.id);
  await world.emulator.expireContainer(run.calls[0]?.container_id ?? "");

  const files = new Map(record.files.map((file) => [file.filename, file]));
  expect([...files.keys()].toSorted()).toEqual([
    "huge.bin",
    "large.bin",
    "naïve – 数据.txt",
    "report.csv",
  ]);
  expect(files.get("huge.bin")).toMatchObject({
    url: null,
    bytes: 30 * MIB,
    reason: containing("at most"),
  });
  expect(await readFile(files.get("report.csv")?.url)).toEqual(Buffer.from("a,b\n1,2\n"));
  expect(await readFile(files.get("naïve – 数据.txt")?.url)).toEqual(Buffer.from("naïve"));
  const large = await readFile(files.get("large.bin")?.url);
  expect(large.length).toBe(20 * MIB);
  expect(large.every((byte, index) => byte === index % 256)).toBe(true);
});

test("GET /results/:id/files/:file_id returns an attachment with the file's name, and nothing that a browser runs", async () => {
  const name = 'naïve "数据"; x=.html';
  const input = toPythonInput(
    `open('/mnt/data/' + ${JSON.stringify(name)}, 'w').write('<script>alert(1)</script>');`,
  );
  const record = await world.waitUntilSettled(
    await world.trigger({ input, tools: CODE_INTERPRETER }),
  );
  const { headers } = await world.request(record.files[0]?.url ?? "");
  expect(headers.get("content-type")).toBe("application/octet-stream");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const [, encoded = ""] =
    /^attachment; filename="[ -~]+"; filename\*=UTF-8''(\S+)$/.exec(
      headers.get("content-disposition") ?? "",
    ) ?? [];
  expect(decodeURIComponent(encoded)).toBe(name);
});

const HOSTILE_NAMES = [
  "a\r\nset-cookie: session=x\r\n\r\n<script>.txt",
  'a"; filename="b.html',
  "a\\",
  "a%0d%0ab",
  "a;b,c",
  "\u202Etxt.exe",
  "\u0001\u007f",
  "é".repeat(100),
];

test("GET /results/:id/files/:file_id encodes hostile names in its headers", async () => {
  const code = HOSTILE_NAMES.map(
    (name) => `open('/mnt/data/' + ${JSON.stringify(name)}, 'w').write('x')`,
  );
  const input = toPythonInput([...code, "None"].join("\n"));
  const { files } = await world.waitUntilSettled(
    await world.trigger({ input, tools: CODE_INTERPRETER }),
  );
  expect(new Set(files.map(({ filename }) => filename))).toEqual(new Set(HOSTILE_NAMES));
  for (const { filename, url } of files) {
    const { status, headers } = await world.request(url ?? "");
    const disposition = headers.get("content-disposition") ?? "";
    const [, encoded = ""] =
      /^attachment; filename="[^"\\]*"; filename\*=UTF-8''([\w%.!#$&+^`|~-]+)$/.exec(disposition) ??
      [];
    expect([status, decodeURIComponent(encoded)]).toEqual([200, filename]);
    expect(headers.get("set-cookie")).toBeNull();
    expect(headers.get("content-type")).toBe("application/octet-stream");
  }
});

test("the record names files that can't be copied, with the reason", async () => {
  await world.emulator.addFault({
    method: "GET",
    path: "^/v1/containers/",
    times: -1,
    kind: "status",
    status: 404,
  });
  const input = toPythonInput("open('/mnt/data/lost.txt', 'w').write('x');");
  const record = await world.waitUntilSettled(
    await world.trigger({ input, tools: CODE_INTERPRETER }),
  );
  await world.emulator.clearFaults();
  expect(record.files).toMatchObject([
    { filename: "lost.txt", url: null, reason: containing("expired already") },
  ]);
});

test("a file is copied after a failure that passes", async () => {
  await world.emulator.addFault({
    method: "GET",
    path: "^/v1/containers/",
    times: 1,
    kind: "status",
    status: 500,
  });
  const input = toPythonInput("open('/mnt/data/kept.txt', 'w').write('kept');");
  const record = await world.waitUntilSettled(
    await world.trigger({ input, tools: CODE_INTERPRETER }),
  );
  expect(record.files).toMatchObject([{ filename: "kept.txt", reason: null }]);
  expect(await readFile(record.files[0]?.url)).toEqual(Buffer.from("kept"));
});

test("only a run's own files are copied from a shared container, and their reason says that it is shared", async () => {
  const first = await world.waitUntilSettled(
    await world.trigger({
      input: toPythonInput("open('/mnt/data/first.txt', 'w').write('1');"),
      tools: CODE_INTERPRETER,
    }),
  );
  const container = first.files[0]?.container_id ?? "";
  // The container must be older than the next response by more than the clocks may differ.
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  const tools = [{ type: "code_interpreter", container }];
  const second = await world.waitUntilSettled(
    await world.trigger({
      input: toPythonInput("open('/mnt/data/second.txt', 'w').write('2');"),
      tools,
    }),
  );
  expect(second.files).toMatchObject([{ filename: "second.txt", reason: containing("share") }]);
  expect(await readFile(second.files[0]?.url)).toEqual(Buffer.from("2"));
});

test("DELETE /results/:id ends the copy of a file that is under way", async () => {
  await world.emulator.addFault({ method: "GET", path: "/content$", times: 1, kind: "hang" });
  const input = toPythonInput("open('/mnt/data/slow.txt', 'w').write('slow');");
  const id = await world.trigger({ input, tools: CODE_INTERPRETER });
  await waitUntil(async () =>
    (await world.emulator.listRequests()).some(({ fault }) => fault === "hang"),
  );
  await world.request(`/results/${id}`, { method: "DELETE" });
  const findCopy = async () =>
    world.worker
      .getLogs()
      .map(({ message }) => message)
      .find((line) => line.includes('"event":"copy_file"') && line.includes(id));
  expect(await waitFor(findCopy, (line) => line !== undefined)).toContain("aborted");
});

async function readFile(url: string | null | undefined): Promise<Buffer> {
  expect(url).toMatch(/^\/results\//);
  const answer = await world.request(url ?? "");
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}
