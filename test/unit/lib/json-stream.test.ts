import { expect, test } from "vitest";
import { readBody } from "../../../src/lib/json-stream.ts";

/** More than `readBody` keeps of a string. */
const LONG = 160 * 1024;

/** Returns a stream of chunks of a size. */
function toStream(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let position = 0;
  return new ReadableStream({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(position, (position += size)));
    },
  });
}

const VALUES: [string, unknown][] = [
  ["a long plain string", { code: "x".repeat(LONG), after: 1 }],
  ["a long string of line breaks", { logs: "123\n".repeat(LONG / 4), after: [1] }],
  ["a long string of quotes and backslashes", { logs: '\\"'.repeat(LONG / 2), after: "\\" }],
  ["a long string of control characters", { logs: "\u0001".repeat(LONG / 4), after: null }],
  ["a long string of multi-byte characters", { logs: "数据🙂".repeat(LONG / 10), after: "é" }],
  [
    "short strings",
    { output: [{ type: "a", outputs: [] }, { "k\\": 'v"' }], empty: "", "": "\\\\" },
  ],
];

const CHUNK_SIZES = [1, 3, 7, 4096, 1 << 20];

/** Replaces long strings, so that only the rest is compared. */
function toShape(value: unknown): unknown {
  if (typeof value === "string") return value.length > 1000 ? "long" : value;
  if (Array.isArray(value)) return value.map(toShape);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toShape(inner)]));
}

test.each(VALUES.flatMap(([name, value]) => CHUNK_SIZES.map((size) => ({ name, value, size }))))(
  "readBody keeps the shape of $name in chunks of $size bytes, and shortens only long strings",
  async ({ value, size }) => {
    const text = JSON.stringify(value);
    const read = await readBody(toStream(text, size));
    const parsed: unknown = JSON.parse(read.truncated);
    expect(toShape(parsed)).toEqual(toShape(value));
    expect(read.truncated.length).toBeLessThan(200 * 1024);
    expect(Buffer.concat(read.chunks ?? []).toString()).toBe(text);
  },
);

test("readBody parses a body of more than 24 MiB, and keeps none of its chunks", async () => {
  const text = JSON.stringify({ status: "completed", logs: "1\n".repeat(13 * 1024 * 1024) });
  const read = await readBody(toStream(text, 1 << 16));
  expect(read.chunks).toBeNull();
  expect(read.bytes).toBe(text.length);
  expect(JSON.parse(read.truncated)).toMatchObject({ status: "completed" });
});
