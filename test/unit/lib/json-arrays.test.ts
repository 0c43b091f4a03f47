import { expect, test } from "vitest";
import { addItems } from "../../../src/lib/json-arrays.ts";

const A = { id: "ci_1", outputs: [{ type: "logs", logs: "数]," }] };
const B = { id: "ci_2", outputs: [] };
const C = { id: "ci_3", outputs: null };

test("addItems adds the items that an earlier write lacks, and none twice when the write is repeated", () => {
  expect(add([A], null)).toEqual([A]);
  expect(add([B], [A])).toEqual([B, A]);
  expect(add([A], [A])).toEqual([A]);
  expect(add([B, A], [A])).toEqual([B, A]);
  expect(add([C], [C, B, A])).toEqual([C, B, A]);
  expect(add([A], [])).toEqual([A]);
  expect(add([], [A])).toEqual([A]);
});

function add(items: object[], before: object[] | null): unknown {
  const parts = addItems(encode(items), before === null ? null : encode(before));
  return JSON.parse(Buffer.concat(parts).toString());
}

function encode(items: object[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(items));
}
