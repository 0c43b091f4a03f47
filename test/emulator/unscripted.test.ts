import type OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { INTERPRETER_TOOL, startTestEmulator } from "./setup.ts";

const { client } = await startTestEmulator({ queueSeconds: 0, runSeconds: 0, interpreters: 0 });

const Arguments = z.strictObject({
  city: z.string().min(3),
  days: z.int().min(1).max(14),
  unit: z.enum(["C", "F"]),
  tags: z.array(z.string()),
});

function toFunctionTool(name: string): OpenAI.Responses.FunctionTool {
  return { type: "function", name, strict: true, parameters: z.toJSONSchema(Arguments) };
}

const TOOLS = [toFunctionTool("forecast"), toFunctionTool("history")];

function create(more: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) {
  return client.responses.create({ model: "gpt-5.2", input: "go", ...more, stream: false });
}

describe("POST /v1/responses with a forced tool", () => {
  const CHOICES: [string, OpenAI.Responses.ResponseCreateParams["tool_choice"], string][] = [
    ["required", "required", "forecast"],
    ["a function", { type: "function", name: "history" }, "history"],
    [
      "allowed_tools with required",
      { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "history" }] },
      "history",
    ],
  ];

  test.each(CHOICES)("calls the function for %s, with arguments that fit", async (...choice) => {
    const [, tool_choice, name] = choice;
    const { output } = await create({ tools: TOOLS, tool_choice });
    expect(output.map(({ type }) => type)).toEqual(["reasoning", "function_call"]);
    const call = output[1]?.type === "function_call" ? output[1] : null;
    expect(call).toMatchObject({ name, status: "completed" });
    expect(Arguments.safeParse(JSON.parse(call?.arguments ?? "")).success).toBe(true);
  });

  test("answers with text after the tool's output", async () => {
    const first = await create({ tools: TOOLS, tool_choice: "required" });
    const call = first.output.find(({ type }) => type === "function_call");
    const call_id = call?.type === "function_call" ? call.call_id : "";
    const second = await create({
      tools: TOOLS,
      tool_choice: "required",
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id, output: "sunny" }],
    });
    expect(second.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
  });

  test("calls a custom tool with text", async () => {
    const { output } = await create({
      tools: [{ type: "custom", name: "sql" }],
      tool_choice: { type: "custom", name: "sql" },
    });
    expect(output[1]).toMatchObject({ type: "custom_tool_call", name: "sql", input: "go" });
  });

  test("calls a hosted tool, then answers with text", async () => {
    const { output } = await create({ tools: [{ type: "web_search" }], tool_choice: "required" });
    const types = ["reasoning", "web_search_call", "message"];
    expect(output.map(({ type }) => type)).toEqual(types);
  });

  test("calls a local shell, whose output the client sends", async () => {
    const tools = [{ type: "shell" as const, environment: { type: "local" as const } }];
    const { output } = await create({ tools, tool_choice: "required" });
    expect(output).toMatchObject([
      { type: "reasoning" },
      { type: "shell_call", environment: null },
    ]);
  });

  test("calls none when tool_choice is auto or none", async () => {
    for (const tool_choice of ["auto", "none"] as const) {
      const { output } = await create({ tools: TOOLS, tool_choice });
      expect(output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    }
  });
});

describe("POST /v1/responses with text.format", () => {
  test("answers json_schema with a value that fits", async () => {
    const Person = z.object({
      name: z.string(),
      age: z.int().min(18),
      email: z.email(),
      address: z.object({ street: z.string(), zip: z.string().regex(/^\d{5}$/) }).nullable(),
    });
    const parsed = await client.responses.parse({
      model: "gpt-5.2",
      input: "Who?",
      text: { format: zodTextFormat(Person, "person") },
    });
    expect(Person.safeParse(parsed.output_parsed).success).toBe(true);
  });

  test("answers json_object with an object", async () => {
    const { output_text } = await create({ text: { format: { type: "json_object" } } });
    expect(JSON.parse(output_text)).toBeTypeOf("object");
  });
});

describe("POST /v1/responses", () => {
  test("makes at most max_tool_calls calls", async () => {
    const input = "```python\n1\n```\n```python\n2\n```";
    const { output } = await create({ input, tools: [INTERPRETER_TOOL], max_tool_calls: 1 });
    const types = ["reasoning", "code_interpreter_call", "message"];
    expect(output.map(({ type }) => type)).toEqual(types);
  });

  test("summarizes its reasoning if the request wants a summary", async () => {
    const { output } = await create({ reasoning: { summary: "auto" } });
    expect(output[0]).toMatchObject({ type: "reasoning", summary: [{ type: "summary_text" }] });
  });

  test("has no reasoning for a model that doesn't reason", async () => {
    const { output } = await create({ model: "gpt-4.1" });
    expect(output.map(({ type }) => type)).toEqual(["message"]);
  });

  test("accepts and echoes a prompt without a model", async () => {
    const prompt = { id: "pmpt_1", version: "2", variables: { city: "Bonn" } };
    const done = await client.responses.create({ prompt });
    expect(done).toMatchObject({ status: "completed", prompt });
    expect(done.model).toMatch(/^gpt/);
  });
});
