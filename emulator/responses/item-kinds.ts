/** What each type of output item means for clients: its stream events, and its fields that not every client sees. */
import * as z from "zod";
import { newId } from "../lib/ids.ts";
import { INCLUDE } from "./include.ts";
import {
  type ItemEvent,
  Parts,
  parseList,
  type Split,
  ShellOutputs,
  toContentEvents,
  toShellOutputEvents,
  toSummaryEvents,
  toText,
  toTextEvents,
} from "./item-events.ts";
import type { Item } from "./items.ts";

/** A field that not every client sees: it needs an `include`, or a background run can lose it. */
export interface HideableField {
  /** The value of `include` that shows it; null: every client sees it. */
  include: string | null;
  /** What the settings call its loss; null: it is never lost. */
  loss: Loss | null;
  /** The item without the field's value, as for a client who did not ask; null: without it there is no item. */
  hide: (item: Item) => Item | null;
  /** The item with an empty value. */
  empty: (item: Item) => Item;
}

/** The ends of the names of the settings that say what a background run loses. */
export type Loss = "Outputs" | "Sources" | "Results" | "Images" | "McpOutputs" | "ShellOutputs";

export interface ItemKind {
  /** The prefix of its ids. */
  idPrefix?: string;
  /** The fields that differ in `response.output_item.added`, besides `status`. */
  toInitialFields?: (item: Item) => Record<string, unknown>;
  /** The events before the item's work is done. */
  toStartEvents?: (item: Item, split: Split) => ItemEvent[];
  /** The events after it, before `response.output_item.done`. */
  toEndEvents?: (item: Item) => ItemEvent[];
  hideableFields?: HideableField[];
}

const ShellAction = z.object({ commands: z.array(z.string()) });
const SearchAction = z.looseObject({ type: z.string(), sources: z.unknown().optional() });

export const ITEM_KINDS: Readonly<Record<string, ItemKind>> = {
  message: {
    idPrefix: "msg",
    toInitialFields: () => ({ content: [] }),
    toStartEvents: ({ content }, split) =>
      parseList(Parts, content).flatMap((part, index) => toContentEvents(part, index, split)),
    hideableFields: [
      { include: INCLUDE.logprobs, loss: null, hide: withoutLogprobs, empty: withoutLogprobs },
    ],
  },
  reasoning: {
    idPrefix: "rs",
    toInitialFields: ({ content }) => ({
      summary: [],
      ...(content === undefined ? {} : { content: [] }),
    }),
    toStartEvents: ({ summary, content }, split) => [
      ...parseList(Parts, summary).flatMap((part, index) => toSummaryEvents(part, index, split)),
      ...parseList(Parts, content).flatMap((part, content_index) =>
        toTextEvents("reasoning_text", "text", toText(part.text), { content_index }, split),
      ),
    ],
    hideableFields: [
      {
        include: INCLUDE.encryptedReasoning,
        loss: null,
        hide: (item) => omit(item, ["encrypted_content"]),
        empty: (item) => omit(item, ["encrypted_content"]),
      },
    ],
  },
  code_interpreter_call: {
    idPrefix: "ci",
    toInitialFields: () => ({ code: "", outputs: null }),
    toStartEvents: ({ code }, split) => [
      { type: "code_interpreter_call.in_progress" },
      ...toTextEvents("code_interpreter_call_code", "code", toText(code), {}, split),
      { type: "code_interpreter_call.interpreting" },
    ],
    toEndEvents: () => [{ type: "code_interpreter_call.completed" }],
    hideableFields: [
      {
        include: INCLUDE.outputs,
        loss: "Outputs",
        hide: (item) => ({ ...item, outputs: null }),
        empty: (item) => ({ ...item, outputs: [] }),
      },
    ],
  },
  web_search_call: {
    idPrefix: "ws",
    toStartEvents: () => [
      { type: "web_search_call.in_progress" },
      { type: "web_search_call.searching" },
    ],
    toEndEvents: () => [{ type: "web_search_call.completed" }],
    hideableFields: [
      {
        include: INCLUDE.sources,
        loss: "Sources",
        // Recorded: where sources were not asked for the member is absent, not null.
        hide: (item) => ({ ...item, action: toAction(item, () => ({})) }),
        empty: (item) => ({ ...item, action: toAction(item, () => ({ sources: [] })) }),
      },
    ],
  },
  file_search_call: {
    idPrefix: "fs",
    toInitialFields: () => ({ queries: [], results: null }),
    toStartEvents: () => [
      { type: "file_search_call.in_progress" },
      { type: "file_search_call.searching" },
    ],
    toEndEvents: () => [{ type: "file_search_call.completed" }],
    hideableFields: [
      {
        include: INCLUDE.results,
        loss: "Results",
        hide: (item) => ({ ...item, results: null }),
        empty: (item) => ({ ...item, results: [] }),
      },
    ],
  },
  function_call: {
    idPrefix: "fc",
    toInitialFields: () => ({ arguments: "" }),
    toStartEvents: ({ name, arguments: text }, split) =>
      toTextEvents("function_call_arguments", "arguments", toText(text), {}, split, { name }),
  },
  custom_tool_call: {
    idPrefix: "ctc",
    toInitialFields: () => ({ input: "" }),
    toStartEvents: ({ input }, split) =>
      toTextEvents("custom_tool_call_input", "input", toText(input), {}, split),
  },
  mcp_call: {
    idPrefix: "mcp",
    toInitialFields: () => ({ arguments: "", output: null, error: null }),
    toStartEvents: ({ arguments: text }, split) => [
      { type: "mcp_call.in_progress" },
      ...toTextEvents("mcp_call_arguments", "arguments", toText(text), {}, split),
    ],
    toEndEvents: ({ error }) => [{ type: error ? "mcp_call.failed" : "mcp_call.completed" }],
    hideableFields: [
      {
        include: null,
        loss: "McpOutputs",
        hide: (item) => omit(item, ["output", "error"]),
        empty: (item) => ({ ...item, output: null, error: null }),
      },
    ],
  },
  mcp_approval_request: { idPrefix: "mcpr" },
  mcp_list_tools: {
    idPrefix: "mcpl",
    toInitialFields: () => ({ tools: [] }),
    toStartEvents: () => [{ type: "mcp_list_tools.in_progress" }],
    toEndEvents: ({ error }) => [
      { type: error ? "mcp_list_tools.failed" : "mcp_list_tools.completed" },
    ],
  },
  image_generation_call: {
    idPrefix: "ig",
    toInitialFields: () => ({ result: null }),
    toStartEvents: () => [
      { type: "image_generation_call.in_progress" },
      { type: "image_generation_call.generating" },
    ],
    toEndEvents: () => [{ type: "image_generation_call.completed" }],
    hideableFields: [
      {
        include: null,
        loss: "Images",
        hide: (item) => omit(item, ["result"]),
        empty: (item) => ({ ...item, result: null }),
      },
    ],
  },
  shell_call: {
    idPrefix: "sh",
    toInitialFields: ({ action }) => ({ action: { ...toRecord(action), commands: [] } }),
    toStartEvents: ({ action }, split) =>
      (ShellAction.safeParse(action).data?.commands ?? []).flatMap((command, command_index) => [
        {
          type: "shell_call_command.added",
          body: { command_index, command: "" },
          omitsItemId: true,
        },
        ...toTextEvents("shell_call_command", "command", command, { command_index }, split).map(
          (event) => ({ ...event, omitsItemId: true }),
        ),
      ]),
  },
  shell_call_output: {
    idPrefix: "sho",
    toInitialFields: () => ({ output: [] }),
    toStartEvents: ({ output }) => parseList(ShellOutputs, output).flatMap(toShellOutputEvents),
    hideableFields: [
      {
        include: null,
        loss: "ShellOutputs",
        hide: () => null,
        empty: (item) => ({ ...item, output: [] }),
      },
    ],
  },
  compaction: { idPrefix: "cmp" },
  // What only clients send.
  function_call_output: { idPrefix: "fco" },
  custom_tool_call_output: { idPrefix: "ctco" },
};

const UNKNOWN_KIND: ItemKind = {};

/** What is known of an item's type. An unknown one has only the events `added` and `done`. */
export function getItemKind({ type }: { type: string }): ItemKind {
  return (Object.hasOwn(ITEM_KINDS, type) ? ITEM_KINDS[type] : null) ?? UNKNOWN_KIND;
}

/** A new id for an item of a type. */
export function newItemId(type: string): string {
  return newId(getItemKind({ type }).idPrefix ?? "item");
}

/** The item as `response.output_item.added` has it: without its content, and without fields that need an `include`. */
export function toInitialItem(item: Item): Item {
  const { toInitialFields, hideableFields = [] } = getItemKind(item);
  const status = "status" in item ? { status: "in_progress" } : {};
  const initial = { ...item, ...status, ...toInitialFields?.(item) };
  const included = hideableFields.filter(({ include }) => include !== null);
  return included.reduce<Item>((hidden, { hide }) => hide(hidden) ?? hidden, initial);
}

function toAction({ action }: Item, toSources: () => { sources?: unknown }): unknown {
  const parsed = SearchAction.safeParse(action).data;
  if (!parsed || parsed.sources === undefined) return action;
  const { sources: _, ...rest } = parsed;
  return { ...rest, ...toSources() };
}

function withoutLogprobs(item: Item): Item {
  const parts = Parts.safeParse(item.content).data;
  if (!parts?.some(({ logprobs }) => logprobs && logprobs.length > 0)) return item;
  const content = parts.map((part) => (part.logprobs ? { ...part, logprobs: [] } : part));
  return { ...item, content };
}

function omit(item: Item, keys: string[]): Item {
  const { id, type } = item;
  const kept = Object.entries(item).filter(([key]) => !keys.includes(key));
  return { id, type, ...Object.fromEntries(kept) };
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
