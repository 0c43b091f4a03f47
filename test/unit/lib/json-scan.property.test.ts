import { stringChunks } from "../../../src/lib/json-scan.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findCallItems, logChunks } from "../../../src/openai/call-items.ts";
import { runs } from "../../support/property-runs.ts";

const encoder = new TextEncoder();
const bytesOf = (value: unknown, space?: string | number) =>
  encoder.encode(JSON.stringify(value, null, space));

/** What a piece could be cut in: escapes, halves of a character, byte order marks, quotes. */
const hard = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\n", '"', "\\", "\\u", "\ufeff", "é", "数", "🎈", "\ud83d", "\ude00", "\u0000"),
);
const long = fc
  .tuple(fc.array(hard, { minLength: 1, maxLength: 30 }), fc.nat(70_000))
  .map(([parts, before]) => "x".repeat(before) + parts.join("").repeat(3_000).slice(0, 200_000));

test("a text read piece by piece is the text", () => {
  fc.assert(
    fc.property(long, (text) => {
      expect([...stringChunks(bytesOf(text))].join("") === text).toBe(true);
      // Not escaped but as it is, where that is possible.
      const raw = text.toWellFormed().replaceAll(/["\\\p{Cc}]/gu, "");
      expect([...stringChunks(encoder.encode(`"${raw}"`))].join("") === raw).toBe(true);
    }),
    runs(40),
  );
});

const log = fc.record({ type: fc.constant("logs"), logs: fc.string({ unit: "binary" }) });
const outputs = fc.option(fc.array(fc.oneof(log, fc.jsonValue()), { maxLength: 4 }));
const call = fc.record({
  type: fc.constant("code_interpreter_call"),
  code: fc.option(fc.string()),
  id: fc.string(),
  outputs,
});
const item = fc.oneof(call, fc.jsonValue());
const space = fc.constantFrom(undefined, 2, "\t");

test("calls are found among items as they are by parsing, with their outputs", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), space, (items, gap) => {
      const found = findCallItems(bytesOf(items, gap));
      const parsed = items.filter((one) => isCall(one));
      expect(found.map(({ id }) => id)).toEqual(parsed.map(({ id }) => id));
      expect(found.map(({ code }) => code)).toEqual(parsed.map(({ code }) => code));
      const shown = found.map((one) => parsedOf(one.outputs));
      // JSON has no -0.
      expect(shown).toEqual(parsed.map((one) => parsedOf(bytesOf(one.outputs))));
    }),
    runs(300),
  );
});

test("what was printed is every log, in order", () => {
  fc.assert(
    fc.property(fc.array(log), space, (logs, gap) => {
      const printed = [...logChunks(bytesOf(logs, gap))].join("");
      expect(printed).toBe(logs.map((one) => one.logs).join(""));
    }),
    runs(300),
  );
});

function isCall(one: unknown): one is { id: string; code: string | null; outputs: unknown } {
  return typeof one === "object" && one !== null && "outputs" in one && "code" in one;
}

function parsedOf(json: Uint8Array | null): unknown {
  return json === null ? null : JSON.parse(new TextDecoder().decode(json));
}
