import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" });
});
afterAll(() => world.close());

const TOOLS = [{ type: "code_interpreter", container: { type: "auto" } }];
const MIB = 1024 * 1024;

function python(code: string): string {
  return `\`\`\`python\n${code}\n\`\`\``;
}

const WRITES = python(`
from pathlib import Path
here = Path('/mnt/data')
(here / 'report.csv').write_text('a,b\\n1,2\\n')
(here / 'large.bin').write_bytes(bytes(range(256)) * (20 * 4096))
(here / 'huge.bin').write_bytes(b'x' * (30 * 1024 * 1024))
(here / 'naïve – 数据.txt').write_text('naïve')
None
`);

const Truth = z.object({ calls: z.array(z.object({ container_id: z.string() })) });

test("what a run wrote outlives its container, byte for byte, and what is too large is named", async () => {
  const record = await world.settled(await world.trigger({ input: WRITES, tools: TOOLS }));
  const truth = Truth.parse(await world.told(`/responses/${record.id}`));
  const container = truth.calls[0]?.container_id ?? "";
  await fetch(`${world.emulator.url}/_emulator/containers/${container}/expire`, { method: "POST" });

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
  expect(await bytesOf(files.get("report.csv")?.url)).toEqual(Buffer.from("a,b\n1,2\n"));
  expect(await bytesOf(files.get("naïve – 数据.txt")?.url)).toEqual(Buffer.from("naïve"));
  const large = await bytesOf(files.get("large.bin")?.url);
  expect(large.length).toBe(20 * MIB);
  expect(large.every((byte, index) => byte === index % 256)).toBe(true);
});

test("a file is an attachment with its own name, and nothing that a browser runs", async () => {
  const name = 'naïve "数据"; x=.html';
  const input = python(
    `open('/mnt/data/' + ${JSON.stringify(name)}, 'w').write('<script>alert(1)</script>');`,
  );
  const record = await world.settled(await world.trigger({ input, tools: TOOLS }));
  const { headers } = await world.ask(record.files[0]?.url ?? "");
  expect(headers.get("content-type")).toBe("application/octet-stream");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const [, encoded = ""] =
    /^attachment; filename="[ -~]+"; filename\*=UTF-8''(\S+)$/.exec(
      headers.get("content-disposition") ?? "",
    ) ?? [];
  expect(decodeURIComponent(encoded)).toBe(name);
});

const NAMES = [
  "a\r\nset-cookie: session=x\r\n\r\n<script>.txt",
  'a"; filename="b.html',
  "a\\",
  "a%0d%0ab",
  "a;b,c",
  "\u202Etxt.exe",
  "\u0001\u007f",
  "é".repeat(100),
];

test("no file's name says more than a name", async () => {
  const code = NAMES.map((name) => `open('/mnt/data/' + ${JSON.stringify(name)}, 'w').write('x')`);
  const input = python([...code, "None"].join("\n"));
  const { files } = await world.settled(await world.trigger({ input, tools: TOOLS }));
  expect(new Set(files.map(({ filename }) => filename))).toEqual(new Set(NAMES));
  for (const { filename, url } of files) {
    const { status, headers } = await world.ask(url ?? "");
    const said = headers.get("content-disposition") ?? "";
    const [, encoded = ""] =
      /^attachment; filename="[^"\\]*"; filename\*=UTF-8''([\w%.!#$&+^`|~-]+)$/.exec(said) ?? [];
    expect([status, decodeURIComponent(encoded)]).toEqual([200, filename]);
    expect(headers.get("set-cookie")).toBeNull();
    expect(headers.get("content-type")).toBe("application/octet-stream");
  }
});

test("files that can't be had any more are named with the reason", async () => {
  await world.fault({
    method: "GET",
    path: "^/v1/containers/",
    times: -1,
    kind: "status",
    status: 404,
  });
  const input = python("open('/mnt/data/lost.txt', 'w').write('x');");
  const record = await world.settled(await world.trigger({ input, tools: TOOLS }));
  await fetch(`${world.emulator.url}/_emulator/faults`, { method: "DELETE" });
  expect(record.files).toMatchObject([
    { filename: "lost.txt", url: null, reason: containing("expired already") },
  ]);
});

test("a failure that passes loses no file", async () => {
  await world.fault({
    method: "GET",
    path: "^/v1/containers/",
    times: 1,
    kind: "status",
    status: 500,
  });
  const input = python("open('/mnt/data/kept.txt', 'w').write('kept');");
  const record = await world.settled(await world.trigger({ input, tools: TOOLS }));
  expect(record.files).toMatchObject([{ filename: "kept.txt", reason: null }]);
  expect(await bytesOf(record.files[0]?.url)).toEqual(Buffer.from("kept"));
});

test("a container that other responses share is said to be, and only this run's files are kept", async () => {
  const first = await world.settled(
    await world.trigger({
      input: python("open('/mnt/data/first.txt', 'w').write('1');"),
      tools: TOOLS,
    }),
  );
  const container = first.files[0]?.container_id ?? "";
  // The container must be older than the next response by more than the clocks may differ.
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  const tools = [{ type: "code_interpreter", container }];
  const second = await world.settled(
    await world.trigger({ input: python("open('/mnt/data/second.txt', 'w').write('2');"), tools }),
  );
  expect(second.files).toMatchObject([{ filename: "second.txt", reason: containing("share") }]);
  expect(await bytesOf(second.files[0]?.url)).toEqual(Buffer.from("2"));
});

// vitest types its matchers as any.
function containing(text: string): unknown {
  const matcher: unknown = expect.stringContaining(text);
  return matcher;
}

async function bytesOf(url: string | null | undefined): Promise<Buffer> {
  expect(url).toMatch(/^\/results\//);
  const answer = await world.ask(url ?? "");
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}
