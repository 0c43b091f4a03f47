import { expect, test } from "vitest";
import {
  concatChunks,
  decodeChunks,
  readByteLines,
  readChunks,
  readStart,
  splitFirstLine,
  streamChunks,
  toByteStream,
  toOneLine,
} from "../../../src/lib/byte-stream.ts";

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return decodeChunks(await readChunks(stream));
}

test("streamChunks gives all bytes, leaves out empty chunks, and keeps the caller's array", async () => {
  const chunks = [bytes("one "), bytes(""), bytes("two")];
  expect(await readChunks(streamChunks(chunks))).toHaveLength(2);
  expect(await text(streamChunks(chunks))).toBe("one two");
});

test("toByteStream ends its generator when the stream is cancelled", async () => {
  let hasEnded = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield bytes("x");
    } finally {
      hasEnded = true;
    }
  }
  const reader = toByteStream(endless()).getReader();
  await reader.read();
  await reader.cancel();
  expect(hasEnded).toBe(true);
});

function* broken(): Generator<Uint8Array> {
  yield bytes("x");
  throw new Error("broken");
}

test("toByteStream fails with what its generator throws", async () => {
  await expect(text(toByteStream(broken()))).rejects.toThrow("broken");
});

test("concatChunks joins chunks, and returns a single one without a copy", () => {
  const only = bytes("only");
  expect(concatChunks([only])).toBe(only);
  expect(concatChunks([bytes("a"), bytes("bc")])).toEqual(bytes("abc"));
  expect(concatChunks([])).toHaveLength(0);
});

test("decodeChunks decodes a character that is split between chunks", () => {
  const [first, ...rest] = bytes("é");
  expect(decodeChunks([Uint8Array.of(first ?? 0), Uint8Array.from(rest)])).toBe("é");
});

test.each([
  ["a line\nthe rest", "a line", "the rest"],
  ["a line\n", "a line", ""],
  ["no line break", "no line break", ""],
  ["", "", ""],
])("splitFirstLine splits %j, however it is cut", async (whole, line, rest) => {
  for (let size = 1; size <= whole.length + 1; size += 1) {
    const all = bytes(whole);
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
      all.subarray(index * size, (index + 1) * size),
    );
    const split = await splitFirstLine(streamChunks(chunks));
    expect([split.line, await text(split.rest)]).toEqual([line, rest]);
  }
});

test.each([0, 1, 5, 6, 7, 11, 12])(
  "readStart reads a stream of 12 bytes until it has more than %i, and leaves the rest unread",
  async (max) => {
    const { chunks, rest } = await readStart(streamChunks([bytes("first "), bytes("second")]), max);
    const read = decodeChunks(chunks);
    expect(read.length > max).toBe(rest !== null);
    expect(read + (rest === null ? "" : await text(rest))).toBe("first second");
  },
);

test("readByteLines gives each line whole, however it is split between chunks, and drops an incomplete one", async () => {
  const whole = bytes("1 é\n\n2 b\n3 c");
  for (let size = 1; size <= whole.length; size += 1) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    const lines: string[] = [];
    for await (const line of readByteLines(streamChunks(chunks))) lines.push(decodeChunks([line]));
    expect(lines).toEqual(["1 é", "", "2 b"]);
  }
});

test("readByteLines cancels the stream when its reader leaves", async () => {
  let hasEnded = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield bytes("x\n");
    } finally {
      hasEnded = true;
    }
  }
  for await (const line of readByteLines(toByteStream(endless()))) {
    expect(line).toEqual(bytes("x"));
    break;
  }
  expect(hasEnded).toBe(true);
});

test("toOneLine makes spaces of line breaks, and does not copy JSON without any", () => {
  const json = bytes('{\r\n"a": 1\n}');
  expect(decodeChunks([toOneLine(json)])).toBe('{  "a": 1 }');
  expect(decodeChunks([json])).toBe('{\r\n"a": 1\n}');
  const line = bytes('{"a":1}');
  expect(toOneLine(line)).toBe(line);
});
