import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readBody } from "../../../src/lib/json-stream.ts";
import { runs } from "../../support/property-runs.ts";

/** Returns a stream of chunks whose sizes repeat. */
function toStream(bytes: Uint8Array, sizes: number[]): ReadableStream<Uint8Array> {
  let position = 0;
  let chunk = 0;
  return new ReadableStream({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      const size = sizes[chunk++ % sizes.length] ?? bytes.length;
      controller.enqueue(bytes.slice(position, (position += size)));
    },
  });
}

const chunkSizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 90_000 })),
  {
    minLength: 1,
    maxLength: 20,
  },
);
const indent = fc.constantFrom(undefined, 2, "\t", "\n");
const text = fc.string({ unit: "binary" });
const json = fc.jsonValue({ stringUnit: "binary" });

const wellFormedText = text.filter((one) => one.length > 0 && one.isWellFormed());

test("readBody reads any JSON in any chunks as JSON.parse does", async () => {
  await fc.assert(fc.asyncProperty(json, indent, chunkSizes, readsLikeJsonParse), runs(300));
});

async function readsLikeJsonParse(
  value: unknown,
  space: string | number | undefined,
  split: number[],
): Promise<void> {
  const written = JSON.stringify(value, null, space);
  const bytes = new TextEncoder().encode(written);
  const read = await readBody(toStream(bytes, split));
  expect(read.bytes).toBe(bytes.length);
  expect(Buffer.concat(read.chunks ?? []).equals(bytes)).toBe(true);
  expect(JSON.parse(read.truncated)).toEqual(JSON.parse(written));
}

test("readBody cuts only the end of a long string, and nothing around it", async () => {
  await fc.assert(
    fc.asyncProperty(
      wellFormedText,
      json,
      json,
      chunkSizes.map(withLargeChunk),
      cutsOnlyLongString,
    ),
    runs(20),
  );
});

async function cutsOnlyLongString(
  part: string,
  before: unknown,
  after: unknown,
  split: number[],
): Promise<void> {
  const long = part.repeat(Math.ceil(200_000 / part.length));
  const toDocument = (middle: string): string =>
    JSON.stringify([before, middle, { after, "long\\": middle }, after]);
  const read = await readBody(toStream(new TextEncoder().encode(toDocument(long)), split));
  const parsed: unknown = JSON.parse(read.truncated);
  const short = getSecondElement(parsed);
  expect(long.startsWith(short) && short.length < long.length).toBe(true);
  expect(parsed).toEqual(JSON.parse(toDocument(short)));
}

// Hundreds of thousands of one-byte chunks would take too long.
function withLargeChunk(split: number[]): number[] {
  return [...split, 5_000];
}

function getSecondElement(parsed: unknown): string {
  const value: unknown = Array.isArray(parsed) ? parsed[1] : null;
  return typeof value === "string" ? value : "";
}
