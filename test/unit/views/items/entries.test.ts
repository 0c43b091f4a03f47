import { expect, test } from "vitest";
import { readPageResponse } from "../../../support/page-response.ts";
import type { Call } from "../../../../src/record/schema.ts";
import { toEntries } from "../../../../src/views/items/entries.ts";

const toCall = (id: string): Call => ({
  id,
  type: "code_interpreter_call",
  status: "completed",
  container_id: null,
  request: "print(1)",
  result: null,
  code: "print(1)",
  outputs: [],
  verdict: "suspect",
  source: null,
  hint: null,
});
const toResponse = (output: object[]) =>
  readPageResponse(new TextEncoder().encode(JSON.stringify({ output })));
const CALL = { type: "code_interpreter_call", id: "ci_1" };

test("toEntries puts the output of a call with its call", () => {
  const response = toResponse([
    { type: "shell_call", id: "sh_1", call_id: "call_1" },
    { type: "message", id: "msg_1" },
    { type: "shell_call_output", id: "sho_1", call_id: "call_1" },
    { type: "shell_call_output", id: "sho_2", call_id: "call_of_another_response" },
  ]);
  const entries = toEntries({ calls: [], control: null }, response);
  expect(entries.map(({ item, output }) => [item.id, output?.id])).toEqual([
    ["sh_1", "sho_1"],
    ["msg_1", undefined],
    ["sho_2", undefined],
  ]);
});

test("toEntries puts each call beside that of the control, and what only one of them has at the end", () => {
  const calls = [toCall("ci_1"), toCall("ci_gone")];
  const control = { id: null, status: "completed", calls: ["a", "b", "c"].map(toCall) };
  const entries = toEntries(
    { calls, control },
    toResponse([CALL, { type: "message", id: "msg_1" }]),
  );
  expect(
    entries.map((entry) => [entry.item.id, entry.call?.id, entry.number, entry.control?.id]),
  ).toEqual([
    ["ci_1", "ci_1", 1, "a"],
    ["msg_1", undefined, null, undefined],
    ["ci_gone", "ci_gone", 2, "b"],
    ["c", undefined, 3, "c"],
  ]);
});

test("toEntries gives a call of which only the control knows its own members", () => {
  const common = { ...toCall("x"), code: null, outputs: null };
  const search = { ...common, type: "web_search_call", request: ["q"], result: [{ url: "u" }] };
  const mcp = { ...common, type: "mcp_call", request: { name: "roll" }, result: "4" };
  const shell = { ...common, type: "shell_call", request: ["ls"], result: [{ stdout: "a" }] };
  const control = { id: null, status: "completed", calls: [search, mcp, shell] };
  const entries = toEntries({ calls: [], control }, toResponse([]));
  expect(entries.map(({ item }) => item.value)).toMatchObject([
    { action: { type: "search", queries: ["q"], sources: [{ url: "u" }] } },
    { name: "roll", output: "4" },
    { action: { commands: ["ls"] } },
  ]);
  expect(entries[2]?.output?.value).toEqual({
    type: "shell_call_output",
    output: [{ stdout: "a" }],
  });
});

test("toEntries shows a call once when the item that the page left out is its own", () => {
  const items = Array.from({ length: 300 }, (_, index) => ({ ...CALL, id: `ci_${index}` }));
  const entries = toEntries({ calls: [toCall("ci_150")], control: null }, toResponse(items));
  expect(entries.filter(({ call }) => call !== null)).toEqual([]);
  expect(entries).toHaveLength(120);
});
