/** Builds the items of an answer's steps. */
import * as z from "zod";
import { newId } from "../lib/ids.ts";
import { generateValue } from "../lib/json-schema-value.ts";
import { ONE_PIXEL_PNG } from "../lib/one-pixel-png.ts";
import type { ItemStep } from "../scripts/schema.ts";
import type { ItemEvent } from "./item-events.ts";
import { newItemId } from "./item-kinds.ts";
import type { Item } from "./items.ts";
import type { Run } from "./run.ts";

/** What `arguments` of a call accept in a script. */
type Arguments = string | Record<string, unknown>;

type StepOf<Key extends string> = Extract<ItemStep, Record<Key, unknown>>;

/** The item of a step that is neither text nor executed. */
export function toItem(step: Exclude<ItemStep, StepOf<"text">>, run: Run): Item {
  if ("refusal" in step) return toRefusal(step);
  if ("reasoning" in step) return toReasoning(step);
  if ("function_call" in step) return toFunctionCall(step, run);
  if ("web_search" in step) return toWebSearch(step);
  if ("file_search" in step) return toFileSearch(step);
  if ("mcp_call" in step) return toMcpCall(step);
  if ("image_generation" in step) return toImage(step);
  const { type, id, ...rest } = step.item;
  return { id: typeof id === "string" ? id : newItemId(type), type, ...rest };
}

/** The events that a step adds to those of its item's type. */
export function toMoreEvents(step: ItemStep): ItemEvent[] {
  if (!("image_generation" in step)) return [];
  const { partial_images, result } = step.image_generation;
  return Array.from({ length: partial_images }, (_, partial_image_index) => ({
    type: "image_generation_call.partial_image",
    body: { partial_image_index, partial_image_b64: result ?? ONE_PIXEL_PNG },
  }));
}

function newItem(type: string, fields: Record<string, unknown>): Item {
  return { id: newItemId(type), type, ...fields };
}

function toRefusal({ refusal }: StepOf<"refusal">): Item {
  const content = [{ type: "refusal", refusal }];
  return newItem("message", { status: "completed", content, role: "assistant" });
}

function toReasoning({ reasoning }: StepOf<"reasoning">): Item {
  const texts = typeof reasoning === "string" ? [reasoning] : reasoning;
  return newItem("reasoning", {
    summary: texts.map((text) => ({ type: "summary_text", text })),
    encrypted_content: `gAAAA${newId("emulator")}`,
  });
}

function toFunctionCall({ function_call }: StepOf<"function_call">, run: Run): Item {
  const { name, call_id } = function_call;
  const args = function_call.arguments ?? generateArguments(run, name);
  return newItem("function_call", {
    status: "completed",
    arguments: toArgumentText(args),
    call_id: call_id ?? newId("call"),
    name,
  });
}

const FunctionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string(),
  parameters: z.unknown().optional(),
});

/** Arguments that fit the schema of the request's function tool. */
function generateArguments({ params }: Run, name: string): Arguments {
  const tools = (params.tools ?? []).flatMap((tool) => FunctionTool.safeParse(tool).data ?? []);
  const schema = tools.find((tool) => tool.name === name)?.parameters;
  return JSON.stringify(schema ? generateValue(schema) : {});
}

function toArgumentText(args: Arguments): string {
  return typeof args === "string" ? args : JSON.stringify(args);
}

function toWebSearch({ web_search }: StepOf<"web_search">): Item {
  const { query, sources, action, status } = web_search;
  const shown = sources && { sources: sources.map((url) => ({ type: "url", url })) };
  const search = { type: "search", queries: [query], query, ...shown };
  return newItem("web_search_call", { status, action: action ?? search });
}

function toFileSearch({ file_search: { queries, results, status } }: StepOf<"file_search">): Item {
  const complete = results.map((result) => ({
    file_id: "file-emulator",
    filename: "file.txt",
    score: 0.9,
    text: "",
    attributes: {},
    ...result,
  }));
  return newItem("file_search_call", { status, queries, results: complete });
}

function toMcpCall({ mcp_call }: StepOf<"mcp_call">): Item {
  const { server_label, name, output, error } = mcp_call;
  return newItem("mcp_call", {
    status: error === undefined ? "completed" : "failed",
    approval_request_id: null,
    arguments: toArgumentText(mcp_call.arguments),
    error: typeof error === "string" ? toExecutionError(error) : (error ?? null),
    name,
    output: error === undefined ? (output ?? "") : (output ?? null),
    server_label,
  });
}

function toExecutionError(text: string) {
  return { type: "mcp_tool_execution_error", content: [{ type: "text", text }] };
}

function toImage({ image_generation: { result, status } }: StepOf<"image_generation">): Item {
  const image = result === undefined ? ONE_PIXEL_PNG : result;
  return newItem("image_generation_call", { status, result: image });
}
