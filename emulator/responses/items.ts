/** What one call showed, in order. */
export type Output = { type: "logs"; logs: string } | { type: "image"; url: string };

export interface Call {
  id: string;
  type: "code_interpreter_call";
  status: "in_progress" | "completed" | "incomplete";
  code: string;
  container_id: string;
  outputs: Output[] | null;
}

export interface Citation {
  type: "container_file_citation";
  container_id: string;
  file_id: string;
  filename: string;
  start_index: number;
  end_index: number;
}

export interface Text {
  type: "output_text";
  annotations: Citation[];
  logprobs: unknown[];
  text: string;
}

export interface Message {
  id: string;
  type: "message";
  status: "in_progress" | "completed" | "incomplete";
  content: Text[];
  role: "assistant";
}

export interface Reasoning {
  id: string;
  type: "reasoning";
  summary: unknown[];
}

/** An item that a client sent; the emulator looks at little of it. */
export interface Given {
  id: string;
  type: string;
  [key: string]: unknown;
}

export type Made = Reasoning | Call | Message;
export type Item = Made | Given;

/** How a reader sees an item: the call's outputs may be hidden from them. */
export type See = (item: Item) => Item;

/** Tells a code interpreter call among items. */
export function isCall(item: Item): item is Call {
  return item.type === "code_interpreter_call" && "container_id" in item;
}

export interface Sight {
  included: boolean;
  background: boolean;
  /** `present`, `empty`, or `late:SECONDS` after the end. */
  rule: string;
  /** When the run ended, in milliseconds; null while it lasts. */
  endedAt: number | null;
}

/** What a reader is shown of calls' outputs. */
export function sight(given: Sight): See {
  return (item) => {
    if (!isCall(item)) return item;
    return { ...item, outputs: visible(item.outputs, given) };
  };
}

function visible(outputs: Output[] | null, { included, background, rule, endedAt }: Sight) {
  if (!included) return null;
  if (!background || rule === "present") return outputs;
  const [kind, delay] = rule.split(":");
  if (kind !== "late" || endedAt === null) return [];
  return Date.now() >= endedAt + Number(delay) * 1000 ? outputs : [];
}
