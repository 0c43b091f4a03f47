import * as z from "zod";
import { ApiError, refusal } from "../errors.ts";
import { newId } from "../lib/ids.ts";
import type { Given } from "./items.ts";

const INCLUDES = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

export const OUTPUTS = "code_interpreter_call.outputs";

export const Metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, "Expected at most 16 properties");

export const InputItem = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});
export type InputItem = z.infer<typeof InputItem>;

const open = z.looseObject({});
const number = z.number().nullish();
const whole = z.int().nullish();
const text = z.string().nullish();
const flag = z.boolean().nullish();

export const MemoryLimit = z.enum(["1g", "4g", "16g", "64g"]);

const Container = z.union([
  z.string(),
  z.looseObject({
    type: z.literal("auto"),
    file_ids: z.array(z.string()).optional(),
    memory_limit: MemoryLimit.nullish(),
    network_policy: open.nullish(),
  }),
]);
const Interpreter = z.looseObject({ type: z.literal("code_interpreter"), container: Container });
export type Interpreter = z.infer<typeof Interpreter>;

const Tool = z.looseObject({ type: z.string() });

/** What `POST /v1/responses` takes. */
export const CreateRequest = z.strictObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(InputItem)]).nullish(),
  background: flag,
  stream: flag,
  stream_options: open.nullish(),
  store: flag,
  include: z.array(z.string()).nullish(),
  metadata: Metadata.nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: z.union([z.string(), open]).nullish(),
  parallel_tool_calls: flag,
  max_tool_calls: whole,
  previous_response_id: text,
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  instructions: text,
  max_output_tokens: z.int().min(16).nullish(),
  reasoning: open.nullish(),
  text: open.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: number,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  service_tier: text,
  user: text,
  safety_identifier: text,
  prompt: open.nullish(),
  prompt_cache_key: text,
  prompt_cache_options: open.nullish(),
  prompt_cache_retention: text,
  context_management: z.array(open).nullish(),
  moderation: open.nullish(),
  image: open.nullish(),
  access_programs: z.union([open, z.array(z.unknown())]).nullish(),
});
export type CreateRequest = z.infer<typeof CreateRequest>;

/** Checks what came in, and where; what is wrong with it becomes an error of the API. */
export function check<T>(schema: z.ZodType<T>, value: unknown, place: PropertyKey[] = []): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refusal(parsed.error, place);
  return parsed.data;
}

/** Checks the values of `include`; `persisted` where something stored is asked for, of which not all can be included. */
export function checkInclude(values: string[], { persisted } = { persisted: false }): Set<string> {
  const included = new Set(values);
  const wrong = values.findIndex((value) => !INCLUDES.has(value));
  if (wrong >= 0) {
    const known = [...INCLUDES].map((name) => `'${name}'`).join(", ");
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
export function interpreter(request: CreateRequest): Interpreter | null {
  if (request.tool_choice === "none") return null;
  const tools = request.tools ?? [];
  const index = tools.findIndex(({ type }) => type === "code_interpreter");
  return index < 0 ? null : check(Interpreter, tools[index], ["tools", index]);
}

/** The input as items, each with an id. */
export function inputItems(input: CreateRequest["input"]): Given[] {
  if (input === undefined || input === null) return [];
  const items = typeof input === "string" ? [{ role: "user", content: input }] : input;
  return items.map(given);
}

/** One item that a client sent, as it is given back. */
export function given(item: InputItem): Given {
  const type = item.type ?? "message";
  if (type !== "message") return { ...item, id: item.id ?? newId("item"), type };
  const role = item.role ?? "user";
  const kind = role === "assistant" ? "output_text" : "input_text";
  const content =
    typeof item.content === "string" ? [{ type: kind, text: item.content }] : (item.content ?? []);
  return { status: "completed", ...item, id: item.id ?? newId("msg"), type, role, content };
}

const Spoken = z.object({
  role: z.literal("user"),
  content: z.array(z.looseObject({ type: z.string() })),
});
const Part = z.object({ type: z.literal("input_text"), text: z.string() });

/** What the user said last. */
export function lastWords(items: Given[]): string {
  const said = items.flatMap((item) => Spoken.safeParse(item).data ?? []);
  const parts = said.at(-1)?.content.flatMap((part) => Part.safeParse(part).data ?? []) ?? [];
  return parts.map(({ text: words }) => words).join("\n");
}
