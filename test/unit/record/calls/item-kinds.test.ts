import { describe, expect, test } from "vitest";
import { parseCalls } from "../../../../src/openai/response.ts";
import { includeOf, refusedIncludes } from "../../../../src/record/request/include.ts";
import { resultIncludes } from "../../../../src/record/calls/item-kinds.ts";
import { requestTools } from "../../../../src/record/request/tools.ts";

const OUTPUTS = "code_interpreter_call.outputs";
const RESULTS = "file_search_call.results";
const SOURCES = "web_search_call.action.sources";

describe("calls of every kind", () => {
  test.each([
    ["code", { type: "code_interpreter_call", code: "1", outputs: [] }, "1", "empty"],
    ["code without outputs", { type: "code_interpreter_call", code: "1" }, "1", "absent"],
    ["file search", { type: "file_search_call", queries: ["a"], results: null }, '["a"]', "null"],
    [
      "web search",
      { type: "web_search_call", action: { type: "search", query: "a", queries: ["a", "b"] } },
      '["a","b"]',
      "absent",
    ],
    [
      "web search with sources",
      { type: "web_search_call", action: { type: "search", query: "a", sources: [{}] } },
      '"a"',
      "populated",
    ],
    ["picture", { type: "image_generation_call", result: "aGk=" }, null, "populated"],
    [
      "MCP",
      { type: "mcp_call", server_label: "s", name: "n", arguments: "{}", output: "", error: null },
      '{"server_label":"s","name":"n","arguments":"{}"}',
      "empty",
    ],
    [
      "MCP with an error",
      { type: "mcp_call", server_label: "s", name: "n", output: null, error: { type: "http" } },
      '{"server_label":"s","name":"n"}',
      "populated",
    ],
  ])("%s: its request and its result", (_name, item, request, state) => {
    expect(parseCalls([{ id: "x", ...item }])).toMatchObject([{ id: "x", request, state }]);
  });

  test("a shell call has the result of the item with its call_id, and its container", () => {
    const environment = { type: "container_reference", container_id: "cntr_1" };
    const shell = { type: "shell_call", id: "sh", call_id: "c", action: { commands: ["ls"] } };
    const output = { type: "shell_call_output", id: "sho", call_id: "c", output: [{ stdout: "" }] };
    expect(parseCalls([{ ...shell, environment }, output])).toMatchObject([
      { id: "sh", request: '["ls"]', container_id: "cntr_1", state: "populated" },
    ]);
    expect(parseCalls([shell])).toMatchObject([{ container_id: null, state: "absent" }]);
    expect(parseCalls([output])).toEqual([]);
  });

  test("opening a page and searching in one are no calls", () => {
    const items = ["open_page", "find_in_page"].map((type) => ({
      type: "web_search_call",
      id: type,
      action: { type },
    }));
    expect(parseCalls(items)).toEqual([]);
  });
});

describe("include", () => {
  test.each([
    [["code_interpreter"], [OUTPUTS]],
    [
      ["web_search_preview_2025_03_11", "file_search"],
      [RESULTS, SOURCES],
    ],
    [["web_search_2025_08_26"], [SOURCES]],
    [["function", "mcp", "shell"], []],
    [null, [OUTPUTS, RESULTS, SOURCES]],
  ])("asks for the results of %j", (tools, values) => {
    expect(resultIncludes(tools)).toEqual(values);
  });

  test("a stored prompt can have tools that the request does not name", () => {
    expect(requestTools({ tools: [{ type: "mcp" }] })).toEqual(["mcp"]);
    expect(requestTools({ prompt: { id: "pmpt_1" } })).toBeNull();
    expect(requestTools(null)).toBeNull();
  });

  test("what OpenAI refused is not asked for again", () => {
    const record = { tools: ["web_search"], include: ["x"], refused_include: [SOURCES] };
    expect(includeOf(record)).toEqual(["x"]);
  });

  test.each([
    ["by its place", { param: "include[1]", message: "Invalid value." }, [RESULTS]],
    [
      "by its name",
      {
        param: "include",
        message: `Invalid value: '${OUTPUTS}'. Supported values are: '${RESULTS}'.`,
      },
      [OUTPUTS],
    ],
    ["not at all", { param: "include", message: "Not supported." }, [OUTPUTS, RESULTS]],
    ["and is about something else", { param: "model", message: "No such model." }, []],
  ])("a refusal names the value %s", (_how, refusal, refused) => {
    expect(refusedIncludes([OUTPUTS, RESULTS], refusal)).toEqual(refused);
  });
});
