import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { findCallItems, locateCalls, resultText } from "../../../src/openai/call-items.ts";
import { CODE_INTERPRETER, ITEM_KINDS, itemKind } from "../../../src/record/calls/item-kinds.ts";
import { runs } from "../../support/property-runs.ts";

const log = fc.record({ type: fc.constant("logs"), logs: fc.string({ unit: "binary" }) });
const shellOutput = fc.record({ stdout: fc.string(), stderr: fc.string() });
const anything = fc.option(fc.oneof(fc.array(fc.oneof(log, fc.jsonValue())), fc.string()));
const callId = fc.constantFrom("call_1", "call_2", "call_3");
const types = fc.constantFrom(...ITEM_KINDS.map(({ type }) => type), "shell_call_output");
const call = fc.record(
  {
    type: types,
    id: fc.string(),
    call_id: callId,
    status: fc.constantFrom("completed", "failed"),
    code: fc.option(fc.string()),
    outputs: anything,
    queries: fc.array(fc.string()),
    results: anything,
    action: fc.record(
      { type: fc.constantFrom("search", "open_page"), query: fc.string(), sources: anything },
      { requiredKeys: ["type"] },
    ),
    server_label: fc.string(),
    name: fc.string(),
    arguments: fc.string(),
    output: fc.oneof(anything, fc.array(shellOutput)),
    error: anything,
    result: anything,
  },
  { requiredKeys: ["type", "id"] },
);
const items = fc.array(fc.oneof(call, fc.jsonValue()), { maxLength: 8 });
const indent = fc.constantFrom(undefined, 2, "\t");

test("bytes and parsed values show the same calls, requests and results", () => {
  fc.assert(
    fc.property(items, indent, (list, space) => {
      // JSON has no -0 and no undefined.
      const values = z.array(z.unknown()).parse(JSON.parse(JSON.stringify(list)));
      const expected = locateCalls(values);
      const found = findCallItems(toJsonBytes(values, space));
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expect(found.map(({ kind }) => kind)).toEqual(expected.map(({ kind }) => kind));
      const requests = found.map(({ request }) => parseBytes(request));
      expect(requests).toEqual(expected.map(({ request }) => request ?? null));
      const results = found.map(({ result }) => parseBytes(result));
      expect(results).toEqual(expected.map(({ result }) => result ?? null));
    }),
    runs(300),
  );
});

test("the text of code is every log, in order", () => {
  fc.assert(
    fc.property(fc.array(log), indent, (logs, space) => {
      const printed = [...resultText(CODE_INTERPRETER, toJsonBytes(logs, space))].join("");
      expect(printed).toBe(logs.map((one) => one.logs).join(""));
    }),
    runs(300),
  );
});

test("the text of a shell is what each command wrote to both streams", () => {
  const shell = itemKind("shell_call") ?? CODE_INTERPRETER;
  const output = [
    { stdout: "a\n", stderr: "b\n", outcome: { type: "exit", exit_code: 0 } },
    { stdout: "c\n", stderr: "" },
  ];
  expect([...resultText(shell, toJsonBytes(output))].join("")).toBe("a\nb\nc\n");
});

function toJsonBytes(value: unknown, space?: string | number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, space));
}

function parseBytes(json: Uint8Array | null): unknown {
  return json === null ? null : JSON.parse(new TextDecoder().decode(json));
}
