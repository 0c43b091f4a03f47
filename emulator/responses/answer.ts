/** What the model answers to a request that no script matches. */
import * as z from "zod";
import { newId } from "../lib/ids.ts";
import { generateValue } from "../lib/json-schema-value.ts";
import { Step, type StepParams } from "../scripts/schema.ts";
import type { CreateParams } from "./create-params.ts";
import { getLastUserText } from "./input-items.ts";
import { isToolOutput } from "./items.ts";
import type { Run } from "./run.ts";
import { toReplyText } from "./scripted-model.ts";

type Tool = NonNullable<CreateParams["tools"]>[number];

/** Reasoning, then a forced tool's call, or the calls and the text that the directives say. */
export function toDefaultSteps({ directives, params, input }: Run): Step[] {
  const { ending, codes, forbidsCalls } = directives;
  if (ending.status === "failed") return [{ failed: ending.code }];
  const reasoning: Step[] = hasReasoning(params.model) ? [{ reasoning: toSummary(params) }] : [];
  // After a tool's output the model answers with text, or a forced tool would be called forever.
  const callsTools = !forbidsCalls && !isToolOutput(input.at(-1) ?? {});
  const tool = callsTools ? findForcedTool(params) : null;
  const inputText = getLastUserText(input);
  const toolSteps = tool ? toToolSteps(tool, inputText) : [];
  if (tool && isClientTool(tool)) return [...reasoning, ...toolSteps];
  const calls = (callsTools ? codes : []).slice(0, params.max_tool_calls ?? undefined);
  const isIncomplete = ending.status === "incomplete";
  const formatted = generateFormattedText(params.text);
  return [
    ...reasoning,
    ...toolSteps,
    ...calls.map((code) => ({ code })),
    {
      text: formatted ?? toReplyText(inputText, calls.length),
      cites_files: formatted === null,
      is_halved: isIncomplete,
    },
    ...(isIncomplete ? [{ incomplete: ending.reason }] : []),
  ];
}

/** A summary if the request wants one. */
function toSummary({ reasoning }: CreateParams): string[] {
  return reasoning?.["summary"] ? ["The emulator's scripted model follows its rules."] : [];
}

/** The models before GPT-5 that are no reasoning models have no reasoning items. */
function hasReasoning(model: string | null | undefined): boolean {
  return !/^(gpt-4|gpt-3)/.test(model ?? "");
}

const NamedTool = z.looseObject({ type: z.string(), name: z.string().optional() });
const AllowedTools = z.looseObject({
  type: z.literal("allowed_tools"),
  mode: z.string(),
  tools: z.array(NamedTool),
});

/** The tool that `tool_choice` forces the model to call; null if it is free. */
function findForcedTool({ tools, tool_choice }: CreateParams): Tool | null {
  const all = tools ?? [];
  if (tool_choice === "required") return chooseTool(all);
  const allowed = AllowedTools.safeParse(tool_choice).data;
  if (allowed) {
    if (allowed.mode !== "required") return null;
    return chooseTool(all.filter((tool) => allowed.tools.some((named) => isNamed(tool, named))));
  }
  const named = NamedTool.safeParse(tool_choice).data;
  return (named && all.find((tool) => isNamed(tool, named))) ?? null;
}

/** A code interpreter if there is one, because the directives say what it runs. */
function chooseTool(tools: Tool[]): Tool | null {
  return tools.find(({ type }) => type === "code_interpreter") ?? tools[0] ?? null;
}

function isNamed(tool: Tool, { type, name }: z.infer<typeof NamedTool>): boolean {
  return tool.type === type && (type === "mcp" || name === undefined || tool["name"] === name);
}

/** Whether the client executes the tool, so that the response ends with the call. */
function isClientTool(tool: Tool): boolean {
  return tool.type === "function" || tool.type === "custom" || isLocalShell(tool);
}

const LocalShell = z.looseObject({
  type: z.literal("shell"),
  environment: z.looseObject({ type: z.literal("local") }).nullish(),
});

function isLocalShell(tool: Tool): boolean {
  return LocalShell.safeParse(tool).success;
}

const LOCAL_ACTION = {
  action: { commands: ["true"], timeout_ms: null, max_output_length: null },
  environment: null,
};

/** The call of a forced tool. The code interpreter's calls are those of the directives; other tools are never called. */
function toToolSteps(tool: Tool, inputText: string): Step[] {
  const name = typeof tool["name"] === "string" ? tool["name"] : "emulator";
  const call_id = newId("call");
  const type = tool.type.startsWith("web_search") ? "web_search" : tool.type;
  switch (type) {
    case "function":
      return [{ function_call: { name } }];
    case "custom":
      return [{ item: { type: "custom_tool_call", call_id, name, input: inputText } }];
    case "shell":
      if (!isLocalShell(tool)) return parseSteps({ shell: { commands: ["true"] } });
      return [{ item: { type: "shell_call", status: "completed", call_id, ...LOCAL_ACTION } }];
    case "web_search":
      return parseSteps({ web_search: { query: inputText, sources: ["https://example.com/"] } });
    case "file_search":
      return parseSteps({ file_search: { queries: [inputText] } });
    case "image_generation":
      return parseSteps({ image_generation: {} });
    case "mcp":
      return parseSteps({ mcp_call: { server_label: toLabel(tool), name } });
    default:
      return [];
  }
}

/** Fills in the defaults of a step. */
function parseSteps(step: StepParams): Step[] {
  return [Step.parse(step)];
}

function toLabel({ server_label }: Tool): string {
  return typeof server_label === "string" ? server_label : "emulator";
}

const TextParams = z.object({
  format: z.discriminatedUnion("type", [
    z.looseObject({ type: z.literal("json_schema"), schema: z.unknown() }),
    z.looseObject({ type: z.literal("json_object") }),
  ]),
});

/** The JSON that `text.format` asks for; null if it asks for plain text. */
function generateFormattedText(text: CreateParams["text"]): string | null {
  const format = TextParams.safeParse(text).data?.format;
  if (!format) return null;
  if (format.type === "json_object") return JSON.stringify({ answer: "emulator" });
  return JSON.stringify(generateValue(format.schema));
}
