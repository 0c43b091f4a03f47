import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readImageSize } from "../../../../../src/views/text/images/image-size.ts";
import { runs } from "../../../../support/property-runs.ts";

const toBytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const FILLER = "00".repeat(24);

test.each([
  ["a PNG", "89504e47 0d0a1a0a 0000000d 49484452 000001e0 000000b4", { width: 480, height: 180 }],
  ["a GIF", `474946383961 0a00 1400 ${FILLER}`, { width: 10, height: 20 }],
  [
    "a JPEG",
    `ffd8 ffe0 0010 ${"00".repeat(14)} ffc2 0011 08 0028 0040 ${FILLER}`,
    { width: 64, height: 40 },
  ],
  ["a JPEG without a frame", `ffd8 ffe0 0010 ${"00".repeat(14)} ${FILLER}`, null],
  ["a WebP", `52494646 00000000 57454250 56503820 ${FILLER}`, null],
  ["a PNG without a width", "89504e47 0d0a1a0a 0000000d 49484452 00000000 000000b4", null],
  ["nothing", "", null],
])("readImageSize reads the size of %s", (_, hex, size) => {
  expect(readImageSize(toBytes(hex))).toEqual(size);
});

test("readImageSize gives any bytes a size or none", () => {
  const beginnings = fc.constantFrom("", "ffd8ff", "89504e47", "47494638");
  fc.assert(
    fc.property(beginnings, fc.uint8Array({ maxLength: 200 }), (beginning, rest) => {
      const size = readImageSize(Uint8Array.from([...toBytes(beginning), ...rest]));
      expect(size === null || (size.width > 0 && size.height > 0)).toBe(true);
    }),
    runs(500),
  );
});
