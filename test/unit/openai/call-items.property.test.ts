import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findCallItems, logChunks } from "../../../src/openai/call-items.ts";
import { runs } from "../../support/property-runs.ts";

const log = fc.record({ type: fc.constant("logs"), logs: fc.string({ unit: "binary" }) });
const outputs = fc.option(fc.array(fc.oneof(log, fc.jsonValue()), { maxLength: 4 }));
const call = fc.record({
  type: fc.constant("code_interpreter_call"),
  code: fc.option(fc.string()),
  id: fc.string(),
  outputs,
});
const item = fc.oneof(call, fc.jsonValue());
const indent = fc.constantFrom(undefined, 2, "\t");

test("findCallItems finds the same calls, codes and outputs as JSON.parse", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), indent, (items, space) => {
      const found = findCallItems(toJsonBytes(items, space));
      const expected = items.filter((one) => isCall(one));
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expect(found.map(({ code }) => code)).toEqual(expected.map(({ code }) => code));
      const foundOutputs = found.map((one) => parseBytes(one.outputs));
      // JSON has no -0.
      const expectedOutputs = expected.map((one) => parseBytes(toJsonBytes(one.outputs)));
      expect(foundOutputs).toEqual(expectedOutputs);
    }),
    runs(300),
  );
});

test("logChunks yields every log, in order", () => {
  fc.assert(
    fc.property(fc.array(log), indent, (logs, space) => {
      const printed = [...logChunks(toJsonBytes(logs, space))].join("");
      expect(printed).toBe(logs.map((one) => one.logs).join(""));
    }),
    runs(300),
  );
});

function isCall(one: unknown): one is { id: string; code: string | null; outputs: unknown } {
  return typeof one === "object" && one !== null && "outputs" in one && "code" in one;
}

function toJsonBytes(value: unknown, space?: string | number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, space));
}

function parseBytes(json: Uint8Array | null): unknown {
  return json === null ? null : JSON.parse(new TextDecoder().decode(json));
}
