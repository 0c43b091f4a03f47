/** Checks that the setting `requestChecks` adds: what stands inside of the parameters of a create request. */
import * as z from "zod";
import { ApiError } from "../errors.ts";
import { validate } from "../validation.ts";
import type { CreateParams } from "./create-params.ts";
import type { Item } from "./items.ts";

const text = z.string();
const list = z.array(z.unknown());
const nullishEnum = (...values: [string, ...string[]]) => z.enum(values).nullish();

/** What a tool of each type must have. */
const TOOLS: Record<string, z.ZodType> = {
  function: z.looseObject({ name: text.regex(/^[\w-]{1,64}$/, "does not match pattern") }),
  file_search: z.looseObject({ vector_store_ids: z.array(text) }),
  mcp: z.looseObject({ server_label: text }),
  code_interpreter: z.looseObject({ container: z.unknown() }),
  custom: z.looseObject({ name: text }),
  namespace: z.looseObject({ name: text, description: text, tools: list }),
  computer_use_preview: z.looseObject({ environment: text, display_width: z.number() }),
  ...toOpenSchemas(
    "computer",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "tool_search",
    "apply_patch",
  ),
};

/** What an input item of each type must have. */
const ITEMS: Record<string, z.ZodType> = {
  message: z.looseObject({
    role: z.enum(["user", "assistant", "system", "developer"]),
    content: z.union([text, z.array(z.looseObject({ type: text }))]),
  }),
  function_call: z.looseObject({ call_id: text, name: text, arguments: text }),
  function_call_output: z.looseObject({ call_id: text, output: z.union([text, list]) }),
  custom_tool_call: z.looseObject({ call_id: text, name: text, input: text }),
  custom_tool_call_output: z.looseObject({ call_id: text, output: z.union([text, list]) }),
  reasoning: z.looseObject({ id: text, summary: list }),
  item_reference: z.looseObject({ id: text }),
  ...toOpenSchemas(
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "tool_search_call",
    "tool_search_output",
    "additional_tools",
    "compaction",
    "compaction_trigger",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "program",
    "program_output",
  ),
};

const Format = z.union([
  z.strictObject({ type: z.enum(["text", "json_object"]) }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: text,
    schema: z.record(text, z.unknown()),
    strict: z.boolean().nullish(),
  }),
]);

const DeepParams = z.looseObject({
  top_logprobs: z.int().min(0).max(20).nullish(),
  safety_identifier: text.max(64).nullish(),
  prompt_cache_key: text.max(64).nullish(),
  prompt_cache_retention: nullishEnum("in_memory", "24h"),
  service_tier: nullishEnum("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
  reasoning: z
    .strictObject({
      mode: text.nullish(),
      effort: nullishEnum("none", "minimal", "low", "medium", "high", "xhigh", "max"),
      summary: nullishEnum("auto", "concise", "detailed"),
      generate_summary: nullishEnum("auto", "concise", "detailed"),
      context: nullishEnum("auto", "current_turn", "all_turns"),
    })
    .nullish(),
  text: z
    .strictObject({ format: Format.nullish(), verbosity: nullishEnum("low", "medium", "high") })
    .nullish(),
  tool_choice: z
    .union([z.enum(["none", "auto", "required"]), z.looseObject({ type: text })])
    .nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
});

function toOpenSchemas(...types: string[]): Record<string, z.ZodType> {
  return Object.fromEntries(types.map((type) => [type, z.looseObject({})]));
}

/** Throws the API's 400 for the first parameter that OpenAI would refuse. */
export function assertDeepParams(params: CreateParams): void {
  validate(DeepParams, params);
  for (const [index, tool] of (params.tools ?? []).entries()) {
    validateByType(TOOLS, tool.type, tool, ["tools", index]);
    assertStrictFunction(tool, index);
  }
  const input = typeof params.input === "string" ? [] : (params.input ?? []);
  for (const [index, item] of input.entries()) {
    validateByType(ITEMS, item.type ?? "message", item, ["input", index]);
  }
  assertStrictFormat(params);
  assertCombinations(params);
}

function validateByType(
  schemas: Record<string, z.ZodType>,
  type: string,
  value: unknown,
  path: [string, number],
): void {
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema) return void validate(schema, value, path);
  validate(z.enum(Object.keys(schemas)), type, [...path, "type"]);
}

function assertCombinations({ background, store, tool_choice, tools }: CreateParams): void {
  if (background && store === false) {
    const message = "Background sampling requires store=true; stateless requests are rejected.";
    throw new ApiError(400, message, { param: "store" });
  }
  if (tool_choice === "required" && !tools?.length) {
    const message = "Tool choice 'required' must be specified with 'tools' parameter.";
    throw new ApiError(400, message, { param: "tool_choice" });
  }
}

const StrictFunction = z.looseObject({
  type: z.literal("function"),
  name: text,
  strict: z.literal(true),
  parameters: z.unknown(),
});

function assertStrictFunction(tool: unknown, index: number): void {
  const { name, parameters } = StrictFunction.safeParse(tool).data ?? {};
  if (name === undefined || isClosedSchema(parameters)) return;
  throw new ApiError(400, `Invalid schema for function '${name}': ${OPEN_SCHEMA}`, {
    param: `tools[${index}].parameters`,
    code: "invalid_function_parameters",
  });
}

function assertStrictFormat({ text: params }: CreateParams): void {
  const format = Format.safeParse(params?.["format"]).data;
  if (format?.type !== "json_schema" || !format.strict || isClosedSchema(format.schema)) return;
  throw new ApiError(400, `Invalid schema for response_format '${format.name}': ${OPEN_SCHEMA}`, {
    param: "text.format.schema",
    code: "invalid_json_schema",
  });
}

const OPEN_SCHEMA =
  "In context=(), 'additionalProperties' is required to be supplied and to be false.";
const ClosedSchema = z.looseObject({
  type: z.literal("object"),
  additionalProperties: z.literal(false),
});

function isClosedSchema(schema: unknown): boolean {
  return ClosedSchema.safeParse(schema).success;
}

const Call = z.looseObject({
  type: z.enum(["function_call", "custom_tool_call"]),
  call_id: text,
});
const Output = z.looseObject({
  type: z.enum(["function_call_output", "custom_tool_call_output"]),
  call_id: text,
});

/** Throws the API's 400 for an output without its call, or a call without its output. */
export function assertToolOutputs(items: Item[]): void {
  const callIds = items.flatMap((item) => Call.safeParse(item).data?.call_id ?? []);
  const outputIds = items.flatMap((item) => Output.safeParse(item).data?.call_id ?? []);
  const stray = outputIds.find((id) => !callIds.includes(id));
  if (stray !== undefined) {
    const message = `No tool call found for function call output with call_id ${stray}.`;
    throw new ApiError(400, message, { param: "input" });
  }
  const open = callIds.find((id) => !outputIds.includes(id));
  if (open === undefined) return;
  throw new ApiError(400, `No tool output found for function call ${open}.`, { param: "input" });
}
