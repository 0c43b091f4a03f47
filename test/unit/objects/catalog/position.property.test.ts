import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeCursor,
  encodeCursor,
  firstPosition,
  freePosition,
  toStartedAtMs,
} from "../../../../src/objects/catalog/position.ts";

const time = fc.integer({ min: 0, max: Date.parse("2200-01-01") });

test("a later run has a higher position, and a position knows its time", () => {
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(toStartedAtMs(freePosition(a, [firstPosition(a)]))).toBe(a);
      fc.pre(a < b);
      expect(freePosition(a, [firstPosition(a)])).toBeLessThan(freePosition(b, []));
    }),
  );
});

test("a run takes the lowest free position of its millisecond, and there are 1,024", () => {
  const first = firstPosition(5);
  expect(freePosition(5, [first, first + 2])).toBe(first + 1);
  const all = Array.from({ length: 1024 }, (_, slot) => first + slot);
  expect(() => freePosition(5, all)).toThrow(RangeError);
});

test("a cursor decodes to its position, and every other text to null", () => {
  fc.assert(
    fc.property(time, (ms) => {
      expect(decodeCursor(encodeCursor(firstPosition(ms)))).toBe(firstPosition(ms));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const position = decodeCursor(text);
      expect(position === null || encodeCursor(position) === text).toBe(true);
    }),
  );
});
