import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringChunks } from "../../../src/lib/json-scan.ts";
import { runs } from "../../support/property-runs.ts";

/** Text that a chunk could end in the middle of: escapes, surrogate halves, byte order marks, quotes. */
const fragment = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\n", '"', "\\", "\\u", "\ufeff", "é", "数", "🎈", "\ud83d", "\ude00", "\u0000"),
);
const longText = fc
  .tuple(fc.array(fragment, { minLength: 1, maxLength: 30 }), fc.nat(70_000))
  .map(([parts, before]) => "x".repeat(before) + parts.join("").repeat(3_000).slice(0, 200_000));

test("stringChunks yields the whole string", () => {
  fc.assert(
    fc.property(longText, (text) => {
      expect(readString(JSON.stringify(text)) === text).toBe(true);
      // Without escapes, where JSON allows that.
      const raw = text.toWellFormed().replaceAll(/["\\\p{Cc}]/gu, "");
      expect(readString(`"${raw}"`) === raw).toBe(true);
    }),
    runs(40),
  );
});

function readString(json: string): string {
  return [...stringChunks(new TextEncoder().encode(json))].join("");
}
