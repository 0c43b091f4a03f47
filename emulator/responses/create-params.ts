import * as z from "zod";
import { validate } from "../validation.ts";
import { InputItemParam } from "./input-items.ts";

export const Metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, "Expected at most 16 properties");

export const MemoryLimit = z.enum(["1g", "4g", "16g", "64g"]);

const anyObject = z.looseObject({});
const optionalObject = anyObject.nullish();
const optionalNumber = z.number().nullish();
const optionalInteger = z.int().nullish();
const optionalString = z.string().nullish();
const optionalBoolean = z.boolean().nullish();

const ContainerParam = z.union([
  z.string(),
  z.looseObject({
    type: z.literal("auto"),
    file_ids: z.array(z.string()).optional(),
    memory_limit: MemoryLimit.nullish(),
    network_policy: optionalObject,
  }),
]);

const Tool = z.looseObject({ type: z.string() });

const InterpreterTool = z.looseObject({
  type: z.literal("code_interpreter"),
  container: ContainerParam,
});
export type InterpreterTool = z.infer<typeof InterpreterTool>;

/** The body of `POST /v1/responses`. */
export const CreateParams = z.strictObject({
  model: z.string().min(1).nullish(),
  input: z.union([z.string(), z.array(InputItemParam)]).nullish(),
  background: optionalBoolean,
  stream: optionalBoolean,
  stream_options: optionalObject,
  store: optionalBoolean,
  include: z.array(z.string()).nullish(),
  metadata: Metadata.nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: z.union([z.string(), anyObject]).nullish(),
  parallel_tool_calls: optionalBoolean,
  max_tool_calls: optionalInteger,
  previous_response_id: optionalString,
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  instructions: optionalString,
  max_output_tokens: z.int().min(16).nullish(),
  reasoning: optionalObject,
  text: optionalObject,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: optionalNumber,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  service_tier: optionalString,
  user: optionalString,
  safety_identifier: optionalString,
  prompt: optionalObject,
  prompt_cache_key: optionalString,
  prompt_cache_options: optionalObject,
  prompt_cache_retention: optionalString,
  context_management: z.array(anyObject).nullish(),
  moderation: optionalObject,
  image: optionalObject,
  access_programs: z.union([anyObject, z.array(z.unknown())]).nullish(),
});
export type CreateParams = z.infer<typeof CreateParams>;

/** The code interpreter tool; null if there is none or `tool_choice` forbids calls. Throws the API's 400 if it is malformed. */
export function findInterpreterTool(params: CreateParams): InterpreterTool | null {
  if (params.tool_choice === "none") return null;
  const tools = params.tools ?? [];
  const index = tools.findIndex(({ type }) => type === "code_interpreter");
  return index < 0 ? null : validate(InterpreterTool, tools[index], ["tools", index]);
}

const ContainerReference = z.looseObject({
  type: z.literal("container_reference"),
  container_id: z.string(),
});
const AutoContainer = z.looseObject({
  type: z.literal("container_auto"),
  file_ids: z.array(z.string()).optional(),
  memory_limit: MemoryLimit.nullish(),
  network_policy: optionalObject,
});
const HostedShellTool = z.looseObject({
  type: z.literal("shell"),
  environment: z.union([ContainerReference, AutoContainer]),
});

/** The container of a hosted shell tool, as a code interpreter tool would name it; null if there is none. */
export function findShellContainer(
  params: CreateParams,
): Pick<InterpreterTool, "container"> | null {
  const tools = (params.tools ?? []).flatMap((tool) => HostedShellTool.safeParse(tool).data ?? []);
  const environment = tools[0]?.environment;
  if (!environment) return null;
  if (environment.type === "container_reference") return { container: environment.container_id };
  return { container: { ...environment, type: "auto" } };
}
