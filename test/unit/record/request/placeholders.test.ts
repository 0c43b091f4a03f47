import { expect, test } from "vitest";
import {
  describePlaceholder,
  findPlaceholders,
} from "../../../../src/record/request/placeholders.ts";
import { redactRequest } from "../../../../src/record/request/redact.ts";

const MCP = { type: "mcp", server_label: "deepwiki", server_url: "https://mcp.example" };

test("findPlaceholders names every place where redactRequest removed credentials", () => {
  const request = {
    input: "x",
    tools: [
      { ...MCP, headers: { "x-key": "secret" }, authorization: "secret" },
      {
        type: "code_interpreter",
        container: { type: "auto", network_policy: { domain_secrets: [{ value: "secret" }] } },
      },
    ],
  };
  expect(findPlaceholders(request)).toEqual([]);
  const found = findPlaceholders(redactRequest(request));
  expect(found).toEqual([
    { path: "tools[0].headers", kind: "removed", server: "deepwiki" },
    { path: "tools[0].authorization", kind: "removed", server: "deepwiki" },
    { path: "tools[1].container.network_policy.domain_secrets", kind: "removed" },
  ]);
  expect(describePlaceholder(found[0] ?? { path: "", kind: "cut" })).toBe(
    'tools[0].headers, of the MCP server deepwiki, has "[removed]" in place of credentials, which the recorder does not store. Put them there.',
  );
});

test("findPlaceholders names a place whose placeholder was moved into what was typed there", () => {
  const headers = { Authorization: "Bearer [removed]" };
  expect(findPlaceholders({ tools: [{ ...MCP, headers }] })).toMatchObject([
    { path: "tools[0].headers", kind: "removed" },
  ]);
});

test("findPlaceholders names every text that redactRequest cut, also where something was typed after it", () => {
  const long = "word ".repeat(40_000);
  const kept = redactRequest({ input: [{ role: "user", content: long }], instructions: long });
  const expected = [
    { path: "input[0].content", kind: "cut" },
    { path: "instructions", kind: "cut" },
  ];
  expect(findPlaceholders(kept)).toEqual(expected);
  expect(findPlaceholders({ input: `${String(kept["instructions"])}\nGo on.` })).toEqual([
    { path: "input", kind: "cut" },
  ]);
});

test("findPlaceholders knows a request of which only the model is kept", () => {
  const parts = Array.from({ length: 5_000 }, (_, index) => `part ${index} of the long input`);
  const kept = redactRequest({ model: "gpt-x", input: parts });
  expect(findPlaceholders(kept)).toEqual([{ path: "note", kind: "too_large" }]);
});

test("findPlaceholders finds nothing in a request that only speaks of such words", () => {
  const input = "Replace [removed] in the log; … (37 more characters) stays.";
  const tools = [{ type: "mcp", server_label: "[removed]", headers: { "x-key": "mine" } }];
  expect(findPlaceholders({ input, note: "[removed]", tools })).toEqual([]);
});

test("redactRequest cuts the texts of a request whose JSON had more than 128 KiB by its escapes", () => {
  // Its parser has cut such a text already, at 128 KiB of escapes.
  const request = { input: "\u4e2d".repeat(22_000) };
  expect(findPlaceholders(redactRequest(request))).toEqual([]);
  expect(findPlaceholders(redactRequest(request, 132_000))).toEqual([
    { path: "input", kind: "cut" },
  ]);
});
