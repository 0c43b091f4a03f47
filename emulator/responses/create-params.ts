import * as z from "zod";
import { ApiError, toValidationError } from "../errors.ts";
import { newId } from "../lib/ids.ts";
import type { InputItem } from "./items.ts";

const SUPPORTED_INCLUDES = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

export const OUTPUTS_INCLUDE = "code_interpreter_call.outputs";

export const Metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, "Expected at most 16 properties");

export const InputItemParam = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});
export type InputItemParam = z.infer<typeof InputItemParam>;

const openObject = z.looseObject({});
const optionalNumber = z.number().nullish();
const optionalInteger = z.int().nullish();
const optionalString = z.string().nullish();
const optionalBoolean = z.boolean().nullish();

export const MemoryLimit = z.enum(["1g", "4g", "16g", "64g"]);

const ContainerParam = z.union([
  z.string(),
  z.looseObject({
    type: z.literal("auto"),
    file_ids: z.array(z.string()).optional(),
    memory_limit: MemoryLimit.nullish(),
    network_policy: openObject.nullish(),
  }),
]);
const InterpreterTool = z.looseObject({
  type: z.literal("code_interpreter"),
  container: ContainerParam,
});
export type InterpreterTool = z.infer<typeof InterpreterTool>;

const Tool = z.looseObject({ type: z.string() });

/** What `POST /v1/responses` takes. */
export const CreateParams = z.strictObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(InputItemParam)]).nullish(),
  background: optionalBoolean,
  stream: optionalBoolean,
  stream_options: openObject.nullish(),
  store: optionalBoolean,
  include: z.array(z.string()).nullish(),
  metadata: Metadata.nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: z.union([z.string(), openObject]).nullish(),
  parallel_tool_calls: optionalBoolean,
  max_tool_calls: optionalInteger,
  previous_response_id: optionalString,
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  instructions: optionalString,
  max_output_tokens: z.int().min(16).nullish(),
  reasoning: openObject.nullish(),
  text: openObject.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: optionalNumber,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  service_tier: optionalString,
  user: optionalString,
  safety_identifier: optionalString,
  prompt: openObject.nullish(),
  prompt_cache_key: optionalString,
  prompt_cache_options: openObject.nullish(),
  prompt_cache_retention: optionalString,
  context_management: z.array(openObject).nullish(),
  moderation: openObject.nullish(),
  image: openObject.nullish(),
  access_programs: z.union([openObject, z.array(z.unknown())]).nullish(),
});
export type CreateParams = z.infer<typeof CreateParams>;

/** Checks what came in, and where; what is wrong with it becomes an error of the API. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, place: PropertyKey[] = []): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw toValidationError(parsed.error, place);
  return parsed.data;
}

/** Checks the values of `include`; `persisted` where something stored is asked for, of which not all can be included. */
export function parseInclude(values: string[], { persisted } = { persisted: false }): Set<string> {
  const included = new Set(values);
  const wrong = values.findIndex((value) => !SUPPORTED_INCLUDES.has(value));
  if (wrong >= 0) {
    const known = [...SUPPORTED_INCLUDES].map((name) => `'${name}'`).join(", ");
    const message = `Invalid value: '${values[wrong]}'. Supported values are: ${known}.`;
    throw new ApiError(400, message, { param: `include[${wrong}]`, code: "invalid_value" });
  }
  if (persisted && included.has("reasoning.encrypted_content")) {
    const message = "Encrypted content cannot be requested for persisted responses.";
    throw new ApiError(400, message, { param: "include" });
  }
  return included;
}

/** The code interpreter among the tools, unless the request forbids its use. */
export function findInterpreterTool(request: CreateParams): InterpreterTool | null {
  if (request.tool_choice === "none") return null;
  const tools = request.tools ?? [];
  const index = tools.findIndex(({ type }) => type === "code_interpreter");
  return index < 0 ? null : validate(InterpreterTool, tools[index], ["tools", index]);
}

/** The input as items, each with an id. */
export function toInputItems(input: CreateParams["input"]): InputItem[] {
  if (input === undefined || input === null) return [];
  const items = typeof input === "string" ? [{ role: "user", content: input }] : input;
  return items.map(toInputItem);
}

/** One item that a client sent, as it is given back. */
export function toInputItem(item: InputItemParam): InputItem {
  const type = item.type ?? "message";
  if (type !== "message") return { ...item, id: item.id ?? newId("item"), type };
  const role = item.role ?? "user";
  const kind = role === "assistant" ? "output_text" : "input_text";
  const content =
    typeof item.content === "string" ? [{ type: kind, text: item.content }] : (item.content ?? []);
  return { status: "completed", ...item, id: item.id ?? newId("msg"), type, role, content };
}

const UserMessage = z.object({
  role: z.literal("user"),
  content: z.array(z.looseObject({ type: z.string() })),
});
const InputTextPart = z.object({ type: z.literal("input_text"), text: z.string() });

/** What the user said last. */
export function getLastUserText(items: InputItem[]): string {
  const said = items.flatMap((item) => UserMessage.safeParse(item).data ?? []);
  const parts =
    said.at(-1)?.content.flatMap((part) => InputTextPart.safeParse(part).data ?? []) ?? [];
  return parts.map(({ text: words }) => words).join("\n");
}
