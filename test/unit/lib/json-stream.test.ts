import { expect, test } from "vitest";
import { readBody } from "../../../src/lib/json-stream.ts";

const LONG = 160 * 1024;

/** A body that arrives in chunks of a size. */
function inChunks(text: string, size: number): ReadableStream<Uint8Array> {
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
  ["a long plain text", { code: "x".repeat(LONG), after: 1 }],
  ["a long text of line breaks", { logs: "123\n".repeat(LONG / 4), after: [1] }],
  ["a long text of quotes and backslashes", { logs: '\\"'.repeat(LONG / 2), after: "\\" }],
  ["a long text of control characters", { logs: "\u0001".repeat(LONG / 4), after: null }],
  ["a long text of many bytes a character", { logs: "数据🙂".repeat(LONG / 10), after: "é" }],
  ["short texts", { output: [{ type: "a", outputs: [] }, { "k\\": 'v"' }], empty: "", "": "\\\\" }],
];

const SIZES = [1, 3, 7, 4096, 1 << 20];

/** The shape: everything but long texts as it is. */
function shape(value: unknown): unknown {
  if (typeof value === "string") return value.length > 1000 ? "long" : value;
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

test.each(VALUES.flatMap(([name, value]) => SIZES.map((size) => ({ name, value, size }))))(
  "$name, in chunks of $size bytes, keeps its shape and loses only length",
  async ({ value, size }) => {
    const text = JSON.stringify(value);
    const read = await readBody(inChunks(text, size));
    const parsed: unknown = JSON.parse(read.truncated);
    expect(shape(parsed)).toEqual(shape(value));
    expect(read.truncated.length).toBeLessThan(200 * 1024);
    expect(Buffer.concat(read.chunks ?? []).toString()).toBe(text);
  },
);

test("a body of more than 24 MiB is read for its shape, and not kept", async () => {
  const text = JSON.stringify({ status: "completed", logs: "1\n".repeat(13 * 1024 * 1024) });
  const read = await readBody(inChunks(text, 1 << 16));
  expect(read.chunks).toBeNull();
  expect(read.bytes).toBe(text.length);
  expect(JSON.parse(read.truncated)).toMatchObject({ status: "completed" });
});
