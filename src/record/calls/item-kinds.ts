// The kinds of output items whose result can be lost. Whatever reads, judges, stores or shows calls goes by this table. Pure.
import * as z from "zod";

/** What an observation saw of a call's result: something, an empty value, null, or no such member. */
export const ResultState = z.enum(["populated", "empty", "null", "absent"]);
export type ResultState = z.infer<typeof ResultState>;

/** The names of nested members, from the outside to the inside. */
export type Path = readonly string[];

/**
 * What makes a missing result suspect.
 * `code`: the code shows something. `cites_file`, `cites_url`: the text cites one. `completed`: nothing else is needed. `hosted`: the call ran in a container of OpenAI's.
 */
export type Suspicion = "code" | "cites_file" | "cites_url" | "completed" | "hosted";

/** A kind of output items that are calls. */
export type ItemKind = {
  type: string;
  /** The tools of a request that lead to such calls. */
  tools: readonly string[];
  /** The `include` value that asks for the result; null where OpenAI always sends it. */
  include: string | null;
  /** Only items with this value at this place are calls. */
  only?: { path: Path; value: string };
  /** What was asked: the first of these places that has a value, or the members of these names as an object. */
  request: { places: readonly Path[] } | { members: readonly string[] };
  /** What came: the first of these places that has a value. */
  result: readonly Path[];
  /** The type of the item that has the result, where that is another one: it has the same `call_id`. */
  resultType?: string;
  /** The container in which the call ran. */
  container?: Path;
  /** The states of a result that is missing. Another one without a result shows that there was none. */
  missing: readonly ResultState[];
  suspicion: Suspicion;
  /**
   * When background mode is known to lose the result, by public reports. `with_tool`: whenever a request has such a tool. `with_include`: only where it asks for the result.
   * Null: nothing of the kind was reported.
   */
  lossReported: "with_tool" | "with_include" | null;
  /** Whether the result is what code or commands printed. */
  prints: boolean;
  /** The members of the result's elements that are text; where the result is a string, it is the text itself. Null when it is no text. */
  texts: readonly string[] | null;
};

const ALL_MISSING = ["empty", "null", "absent"] as const;

/** The kind whose code can be read. */
export const CODE_INTERPRETER: ItemKind = {
  type: "code_interpreter_call",
  tools: ["code_interpreter"],
  include: "code_interpreter_call.outputs",
  request: { places: [["code"]] },
  result: [["outputs"]],
  container: ["container_id"],
  missing: ALL_MISSING,
  suspicion: "code",
  // https://community.openai.com/t/1372536
  lossReported: "with_tool",
  prints: true,
  texts: ["logs"],
};

export const ITEM_KINDS: readonly ItemKind[] = [
  CODE_INTERPRETER,
  {
    type: "file_search_call",
    tools: ["file_search"],
    include: "file_search_call.results",
    request: { places: [["queries"]] },
    result: [["results"]],
    missing: ALL_MISSING,
    suspicion: "cites_file",
    lossReported: null,
    prints: false,
    texts: ["text"],
  },
  {
    type: "web_search_call",
    tools: ["web_search", "web_search_preview"],
    include: "web_search_call.action.sources",
    // Opening a page and searching in one have no sources.
    only: { path: ["action", "type"], value: "search" },
    request: {
      places: [
        ["action", "queries"],
        ["action", "query"],
      ],
    },
    result: [["action", "sources"]],
    missing: ALL_MISSING,
    suspicion: "cites_url",
    // https://github.com/openai/openai-node/issues/1676
    lossReported: "with_include",
    prints: false,
    texts: ["url"],
  },
  {
    type: "image_generation_call",
    tools: ["image_generation"],
    include: null,
    request: { places: [["revised_prompt"]] },
    result: [["result"]],
    missing: ALL_MISSING,
    suspicion: "completed",
    lossReported: null,
    prints: false,
    texts: null,
  },
  {
    type: "mcp_call",
    tools: ["mcp"],
    include: null,
    request: { members: ["server_label", "name", "arguments"] },
    result: [["output"], ["error"]],
    // A tool may answer with an empty text.
    missing: ["null", "absent"],
    suspicion: "completed",
    lossReported: null,
    prints: false,
    texts: ["text"],
  },
  {
    type: "shell_call",
    tools: ["shell"],
    include: null,
    request: { places: [["action", "commands"]] },
    result: [["output"]],
    resultType: "shell_call_output",
    container: ["environment", "container_id"],
    // The item is there, so its commands printed nothing.
    missing: ["null", "absent"],
    suspicion: "hosted",
    lossReported: null,
    prints: true,
    texts: ["stdout", "stderr"],
  },
];

const BY_TYPE = new Map(ITEM_KINDS.map((kind) => [kind.type, kind]));

/** The kind of an item's type; undefined when its items are no calls. */
export function itemKind(type: unknown): ItemKind | undefined {
  return typeof type === "string" ? BY_TYPE.get(type) : undefined;
}

/** The kind of the calls whose results stand in items of this type. */
export function resultKind(type: unknown): ItemKind | undefined {
  return ITEM_KINDS.find(({ resultType }) => resultType !== undefined && resultType === type);
}

/** The `include` values that ask for the results of all kinds. */
export const RESULT_INCLUDES: readonly string[] = ITEM_KINDS.flatMap(
  ({ include }) => include ?? [],
);

/**
 * The `include` values that ask for the results of a request's tools.
 * @param tools The types of the tools; null when the request is not known.
 */
export function resultIncludes(tools: readonly string[] | null): string[] {
  if (tools === null) return [...RESULT_INCLUDES];
  const asked = ITEM_KINDS.filter((kind) => tools.some((tool) => isToolOf(kind, tool)));
  return asked.flatMap(({ include }) => include ?? []);
}

/**
 * Whether background mode is known to lose something that a request asks for.
 * @param tools The types of its tools.
 * @param include Its own `include` values.
 */
export function isLossReported(tools: readonly string[], include: readonly unknown[]): boolean {
  return ITEM_KINDS.some((kind) => {
    if (kind.lossReported === null) return false;
    if (kind.include !== null && include.includes(kind.include)) return true;
    return kind.lossReported === "with_tool" && tools.some((tool) => isToolOf(kind, tool));
  });
}

// OpenAI dates the names of some tools, as in `web_search_preview_2025_03_11`.
function isToolOf({ tools }: ItemKind, tool: string): boolean {
  return tools.includes(tool.replace(/_\d{4}_\d{2}_\d{2}$/, ""));
}

/** The state of a parsed result; undefined stands for an absent one. */
export function toResultState(result: unknown): ResultState {
  if (result === undefined) return "absent";
  if (result === null) return "null";
  if (Array.isArray(result)) return result.length > 0 ? "populated" : "empty";
  return result === "" ? "empty" : "populated";
}
