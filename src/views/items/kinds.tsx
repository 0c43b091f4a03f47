// What the page knows of each type of output item. A type that is not here gets one line.
import type { Child } from "hono/jsx";
import type { IconName } from "./icon.tsx";
import { PythonRequest, PythonResult } from "./code-interpreter.tsx";
import { ImageRequest, ImageResult } from "./image-generation.tsx";
import { McpRequest, McpResult, McpTools, toMcpName } from "./mcp.tsx";
import { MessageContent, ReasoningContent } from "./message.tsx";
import type { PartProps } from "./part.ts";
import { FileRequest, FileResult, toWebTitle, WebRequest, WebResult } from "./searches.tsx";
import { isHosted, ShellRequest, ShellResult } from "./shell.tsx";
import { toPatchName, ToolRequest, ToolResult, toToolName } from "./tool-calls.tsx";

type Item = PartProps["item"];
type Part = (props: PartProps) => Child;

/** A type of item. */
export type ItemKind = {
  /** The letter-sized picture in front of it. */
  icon: IconName;
  title: string | ((item: Item) => string);
  /** What exactly is called. */
  subject?: (item: Item) => string;
  /** What was asked. */
  Request?: Part;
  /** What came. */
  Result?: Part;
  /** The type of the item with which the caller answers it; null when none is needed. */
  answer?: string | ((item: Item) => string | null);
};

/** By type. */
const ITEM_KINDS: Record<string, ItemKind> = {
  message: { icon: "message", title: "Message", Request: MessageContent },
  reasoning: { icon: "thought", title: "Reasoning", Request: ReasoningContent },
  code_interpreter_call: {
    icon: "code",
    title: "Code interpreter",
    Request: PythonRequest,
    Result: PythonResult,
  },
  file_search_call: {
    icon: "search",
    title: "File search",
    Request: FileRequest,
    Result: FileResult,
  },
  web_search_call: { icon: "search", title: toWebTitle, Request: WebRequest, Result: WebResult },
  image_generation_call: {
    icon: "image",
    title: "Picture",
    Request: ImageRequest,
    Result: ImageResult,
  },
  mcp_call: {
    icon: "tool",
    title: "MCP tool",
    subject: toMcpName,
    Request: McpRequest,
    Result: McpResult,
  },
  mcp_list_tools: {
    icon: "list",
    title: "Tools of an MCP server",
    subject: toMcpName,
    Request: McpTools,
  },
  mcp_approval_request: {
    icon: "tool",
    title: "Approval of an MCP call",
    subject: toMcpName,
    Request: McpRequest,
    answer: "mcp_approval_response",
  },
  shell_call: {
    icon: "code",
    title: "Shell",
    Request: ShellRequest,
    Result: ShellResult,
    answer: (item) => (isHosted(item) ? null : "shell_call_output"),
  },
  local_shell_call: {
    icon: "code",
    title: "Local shell",
    Request: ShellRequest,
    Result: ShellResult,
    answer: "local_shell_call_output",
  },
  function_call: {
    icon: "tool",
    title: "Function call",
    subject: toToolName,
    Request: ToolRequest,
    Result: ToolResult,
    answer: "function_call_output",
  },
  custom_tool_call: {
    icon: "tool",
    title: "Custom tool call",
    subject: toToolName,
    Request: ToolRequest,
    Result: ToolResult,
    answer: "custom_tool_call_output",
  },
  computer_call: {
    icon: "tool",
    title: "Computer",
    Request: ToolRequest,
    Result: ToolResult,
    answer: "computer_call_output",
  },
  apply_patch_call: {
    icon: "code",
    title: "Patch",
    subject: toPatchName,
    Request: ToolRequest,
    Result: ToolResult,
    answer: "apply_patch_call_output",
  },
  compaction: { icon: "line", title: "Earlier items were compacted here" },
};

/** The kind of an item; undefined for a type that is not known. */
export function findKind({ type }: { type: string }): ItemKind | undefined {
  return Object.hasOwn(ITEM_KINDS, type) ? ITEM_KINDS[type] : undefined;
}
