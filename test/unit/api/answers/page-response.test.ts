import { expect, test } from "vitest";
import { readPageResponse } from "../../../support/page-response.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const MIB = 1024 * 1024;

const USAGE = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 8 },
  total_tokens: 30,
};
const toMessage = (text: string) => ({
  type: "message",
  id: "msg_1",
  content: [{ type: "output_text", text, annotations: [] }],
});

test("toPageResponse of a body of 12 MiB has its answer, its usage and its reason", () => {
  const picture = { type: "image_generation_call", id: "ig_1", result: "A".repeat(12 * MIB) };
  const body = {
    output: [picture, toMessage("the answer")],
    usage: USAGE,
    incomplete_details: { reason: "max_output_tokens" },
  };
  const { items, usage, incompleteReason } = readPageResponse(encode(body));
  expect(items.map(({ type, isPart }) => [type, isPart])).toEqual([
    ["image_generation_call", false],
    ["message", false],
  ]);
  expect(items[1]?.value).toEqual(toMessage("the answer"));
  expect(usage).toMatchObject(USAGE);
  expect(incompleteReason).toBe("max_output_tokens");
});

test("toPageResponse keeps the beginning, the end and the size of a long text", () => {
  const text = `begin${"é\n".repeat(2 * MIB)}end`;
  const { items } = readPageResponse(encode({ output: [toMessage(text)] }));
  const [cut] = [...(items[0]?.cuts.values() ?? [])];
  expect(cut?.beginning.startsWith("begin")).toBe(true);
  expect(cut?.end.endsWith("end")).toBe(true);
  expect(cut?.bytes).toBe(new TextEncoder().encode(text).byteLength);
  expect(items[0]?.value).toEqual(toMessage(cut?.beginning ?? ""));
});

test("toPageResponse takes the first elements of a long list, and says that it is a part", () => {
  const logprobs = Array.from({ length: 50_000 }, () => ({ token: "a", logprob: -1 }));
  const item = { ...toMessage("x"), logprobs };
  const { items } = readPageResponse(encode({ output: [item] }));
  expect(items[0]?.isPart).toBe(true);
  expect(items[0]?.value).toEqual({ ...toMessage("x"), logprobs: logprobs.slice(0, 200) });
});

test("toPageResponse leaves out the middle of very many items, and knows all their ids", () => {
  const output = Array.from({ length: 500 }, (_, index) => ({
    type: "other",
    id: `item_${index}`,
  }));
  const { items, omitted, ids } = readPageResponse(encode({ output }));
  expect([items[79]?.id, items[80]?.id, items.at(-1)?.id]).toEqual([
    "item_79",
    "item_460",
    "item_499",
  ]);
  expect([omitted, ids.size]).toEqual([{ after: 80, count: 380 }, 500]);
});

test.each([
  ["no body", null],
  ["an empty object", encode({})],
  ["members of other types", encode({ output: "x", usage: [], incomplete_details: 1 })],
])("toPageResponse of %s has nothing", (_, body) => {
  expect(readPageResponse(body)).toEqual({
    items: [],
    omitted: { after: 80, count: 0 },
    ids: new Set(),
    usage: null,
    incompleteReason: null,
  });
});

test("toPageResponse gives items that are no objects, or lack their type, a type", () => {
  const { items } = readPageResponse(encode({ output: [1, "x", null, [], { id: 5 }] }));
  expect(items.map(({ type, id }) => [type, id])).toEqual(items.map(() => ["unknown", null]));
  expect(items).toHaveLength(5);
});
