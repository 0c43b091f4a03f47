/** What one call showed, in order. */
export type CallOutput = { type: "logs"; logs: string } | { type: "image"; url: string };

export interface CodeInterpreterCall {
  id: string;
  type: "code_interpreter_call";
  status: "in_progress" | "completed" | "incomplete";
  code: string;
  container_id: string;
  outputs: CallOutput[] | null;
}

export interface FileCitation {
  type: "container_file_citation";
  container_id: string;
  file_id: string;
  filename: string;
  start_index: number;
  end_index: number;
}

export interface TextPart {
  type: "output_text";
  annotations: FileCitation[];
  logprobs: unknown[];
  text: string;
}

export interface MessageItem {
  id: string;
  type: "message";
  status: "in_progress" | "completed" | "incomplete";
  content: TextPart[];
  role: "assistant";
}

export interface ReasoningItem {
  id: string;
  type: "reasoning";
  summary: unknown[];
}

/** An item that a client sent; the emulator looks at little of it. */
export interface InputItem {
  id: string;
  type: string;
  [key: string]: unknown;
}

export type OutputItem = ReasoningItem | CodeInterpreterCall | MessageItem;
export type Item = OutputItem | InputItem;

/** How a reader sees an item: the call's outputs may be hidden from them. */
export type View = (item: Item) => Item;

/** Tells a code interpreter call among items. */
export function isCall(item: Item): item is CodeInterpreterCall {
  return item.type === "code_interpreter_call" && "container_id" in item;
}

export interface Visibility {
  includesOutputs: boolean;
  background: boolean;
  /** `present`, `empty`, or `late:SECONDS` after the end. */
  outputsRule: string;
  /** When the run ended, in milliseconds; null while it lasts. */
  endedAt: number | null;
}

/** What a reader is shown of calls' outputs. */
export function createView(given: Visibility): View {
  return (item) => {
    if (!isCall(item)) return item;
    return { ...item, outputs: visibleOutputs(item.outputs, given) };
  };
}

function visibleOutputs(
  outputs: CallOutput[] | null,
  { includesOutputs: included, background, outputsRule: rule, endedAt }: Visibility,
) {
  if (!included) return null;
  if (!background || rule === "present") return outputs;
  const [kind, delay] = rule.split(":");
  if (kind !== "late" || endedAt === null) return [];
  return Date.now() >= endedAt + Number(delay) * 1000 ? outputs : [];
}
