import { describe, expect, test } from "vitest";
import { startTestEmulator } from "./setup.ts";

const { client, callControl } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 0,
  requestChecks: "deep",
});

const BASE = { model: "gpt-5.2", input: "hi" };
const output = { type: "function_call_output", call_id: "call_1", output: "1" };
const call = { type: "function_call", call_id: "call_1", name: "add", arguments: "{}" };
const schema = { type: "object", properties: {} };

const REFUSED: [body: object, code: string | null, param: string][] = [
  [{ input: [{ role: "bogus", content: "x" }] }, "invalid_value", "input[0].role"],
  [{ input: [{ role: "user" }] }, "invalid_value", "input[0].content"],
  [{ input: [{ type: "bogus" }] }, "invalid_value", "input[0].type"],
  [{ tools: [{ type: "bogus" }] }, "invalid_value", "tools[0].type"],
  [{ tools: [{ type: "function" }] }, "missing_required_parameter", "tools[0].name"],
  [{ tools: [{ type: "mcp" }] }, "missing_required_parameter", "tools[0].server_label"],
  [{ tool_choice: "bogus" }, "invalid_value", "tool_choice"],
  [{ tool_choice: "required", tools: [] }, null, "tool_choice"],
  [{ reasoning: { effort: "bogus" } }, "invalid_value", "reasoning.effort"],
  [{ reasoning: { foo: 1 } }, "unknown_parameter", "reasoning.foo"],
  [{ text: { verbosity: "bogus" } }, "invalid_value", "text.verbosity"],
  [{ top_logprobs: 21 }, "integer_above_max_value", "top_logprobs"],
  [{ service_tier: "bogus" }, "invalid_value", "service_tier"],
  [{ prompt_cache_key: "x".repeat(65) }, "string_above_max_length", "prompt_cache_key"],
  [{ max_output_tokens: 15 }, "integer_below_min_value", "max_output_tokens"],
  [{ background: true, store: false }, null, "store"],
  [
    { tools: [{ type: "function", name: "add", strict: true, parameters: schema }] },
    "invalid_function_parameters",
    "tools[0].parameters",
  ],
  [
    { text: { format: { type: "json_schema", name: "x", strict: true, schema } } },
    "invalid_json_schema",
    "text.format.schema",
  ],
  [{ input: [output] }, null, "input"],
  [{ input: [call] }, null, "input"],
];

describe("POST /v1/responses while requestChecks is deep", () => {
  test.each(REFUSED)("refuses %j", async (changes, code, param) => {
    const refusal = client.post("/responses", { body: { ...BASE, ...changes } });
    await expect(refusal).rejects.toMatchObject({ status: 400, code, param });
  });

  test("accepts a correct request", async () => {
    const body = {
      ...BASE,
      input: [{ role: "user", content: "hi" }, call, output],
      tools: [{ type: "function", name: "add", parameters: schema }, { type: "web_search" }],
      reasoning: { effort: "low", summary: "auto" },
      text: { format: { type: "json_schema", name: "x", schema }, verbosity: "low" },
    };
    await expect(client.post("/responses", { body })).resolves.toMatchObject({
      status: "completed",
    });
  });

  test("accepts the output of an earlier response's call", async () => {
    await callControl("POST /scripts", { then: [{ item: { ...call, status: "completed" } }] });
    const { id } = await client.responses.create(BASE);
    const body = { model: "gpt-5.2", previous_response_id: id, input: [output] };
    await expect(client.post("/responses", { body })).resolves.toMatchObject({
      status: "completed",
    });
  });
});

test("POST /v1/responses accepts what stands inside of parameters unless checks are deep", async () => {
  await callControl("PATCH /settings", { requestChecks: "top_level" });
  const body = { ...BASE, tools: [{ type: "bogus" }], reasoning: { foo: 1 } };
  await expect(client.post("/responses", { body })).resolves.toMatchObject({ status: "completed" });
});
