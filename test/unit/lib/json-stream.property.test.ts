import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readBody } from "../../../src/lib/json-stream.ts";
import { runs } from "../../support/property-runs.ts";

/** A body that arrives in pieces of these sizes, again and again. */
function inPieces(bytes: Uint8Array, sizes: number[]): ReadableStream<Uint8Array> {
  let position = 0;
  let piece = 0;
  return new ReadableStream({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      const size = sizes[piece++ % sizes.length] ?? bytes.length;
      controller.enqueue(bytes.slice(position, (position += size)));
    },
  });
}

const sizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 90_000 })),
  {
    minLength: 1,
    maxLength: 20,
  },
);
const spaces = fc.constantFrom(undefined, 2, "\t", "\n");
const text = fc.string({ unit: "binary" });
const json = fc.jsonValue({ stringUnit: "binary" });

const unit = text.filter((one) => one.length > 0 && one.isWellFormed());

test("a body is read as the JSON it is, however it arrives", async () => {
  await fc.assert(fc.asyncProperty(json, spaces, sizes, isRead), runs(300));
});

async function isRead(
  value: unknown,
  space: string | number | undefined,
  split: number[],
): Promise<void> {
  const written = JSON.stringify(value, null, space);
  const bytes = new TextEncoder().encode(written);
  const read = await readBody(inPieces(bytes, split));
  expect(read.bytes).toBe(bytes.length);
  expect(Buffer.concat(read.chunks ?? []).equals(bytes)).toBe(true);
  expect(JSON.parse(read.truncated)).toEqual(JSON.parse(written));
}

test("of a long text only its end is missing, and of what stands around it nothing", async () => {
  await fc.assert(fc.asyncProperty(unit, json, json, sizes.map(larger), isCut), runs(20));
});

async function isCut(
  part: string,
  before: unknown,
  after: unknown,
  split: number[],
): Promise<void> {
  const long = part.repeat(Math.ceil(200_000 / part.length));
  const around = (middle: string): string =>
    JSON.stringify([before, middle, { after, "long\\": middle }, after]);
  const read = await readBody(inPieces(new TextEncoder().encode(around(long)), split));
  const parsed: unknown = JSON.parse(read.truncated);
  const short = firstText(parsed);
  expect(long.startsWith(short) && short.length < long.length).toBe(true);
  expect(parsed).toEqual(JSON.parse(around(short)));
}

// Hundreds of thousands of pieces of one byte show nothing new.
function larger(split: number[]): number[] {
  return [...split, 5_000];
}

function firstText(parsed: unknown): string {
  const value: unknown = Array.isArray(parsed) ? parsed[1] : null;
  return typeof value === "string" ? value : "";
}
