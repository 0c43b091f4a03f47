import { describe, expect, test } from "vitest";
import { decideHold, toHoldHeader } from "../../../../src/record/request/hold.ts";
import { ITEM_KINDS } from "../../../../src/record/calls/item-kinds.ts";

const CODE = { tools: [{ type: "code_interpreter", container: { type: "auto" } }] };
const SEARCH = { tools: [{ type: "web_search" }] };
const SOURCES = "web_search_call.action.sources";

describe("with HOLD=auto", () => {
  test.each([
    ["code interpreter", CODE],
    ["code interpreter among other tools", { tools: [...SEARCH.tools, ...CODE.tools] }],
    ["the sources of a web search", { ...SEARCH, include: [SOURCES] }],
    [
      "the sources of a dated web search",
      { tools: [{ type: "web_search_preview_2025_03_11" }], include: [SOURCES] },
    ],
    [
      "outputs of a stored prompt's code",
      { prompt: { id: "pmpt_1" }, include: ["code_interpreter_call.outputs"] },
    ],
  ])("a request with %s is held", (_, request) => {
    expect(decideHold("auto", null, request)).toEqual({ isHeld: true });
  });

  test.each([
    ["no tools", { input: "hi" }],
    ["a web search without its sources", SEARCH],
    ["a web search and another include", { ...SEARCH, include: ["message.output_text.logprobs"] }],
    [
      "file search with its results",
      { tools: [{ type: "file_search" }], include: ["file_search_call.results"] },
    ],
    [
      "MCP, shell and images",
      { tools: [{ type: "mcp" }, { type: "shell" }, { type: "image_generation" }] },
    ],
    ["a stored prompt", { prompt: { id: "pmpt_1" } }],
    ["tools and include of odd types", { tools: "code_interpreter", include: 7 }],
  ])("a request with %s runs in the background", (_, request) => {
    expect(decideHold("auto", null, request)).toEqual({ isHeld: false, reason: "no_known_loss" });
  });
});

test("HOLD=always holds everything, and HOLD=never nothing", () => {
  expect(decideHold("always", null, {})).toEqual({ isHeld: true });
  expect(decideHold("never", null, CODE)).toEqual({ isHeld: false, reason: "setting" });
});

test("the header overrides the setting", () => {
  expect(decideHold("never", "on", {})).toEqual({ isHeld: true });
  expect(decideHold("always", "off", CODE)).toEqual({ isHeld: false, reason: "header" });
});

test("the answer's header says what became of the run", () => {
  expect(toHoldHeader({ isHeld: true })).toBe("held");
  expect(toHoldHeader({ isHeld: false, reason: "too_large" })).toBe("background; too_large");
});

test("a loss that only an include leads to names that include", () => {
  const kinds = ITEM_KINDS.filter(({ lossReported }) => lossReported === "with_include");
  expect(kinds.map(({ include }) => include)).not.toContain(null);
  expect(kinds).not.toEqual([]);
});
