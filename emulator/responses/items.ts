/** One output of a call. */
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

export interface OutputText {
  type: "output_text";
  annotations: FileCitation[];
  logprobs: unknown[];
  text: string;
}

export interface OutputMessage {
  id: string;
  type: "message";
  status: "in_progress" | "completed" | "incomplete";
  content: OutputText[];
  role: "assistant";
}

export interface ReasoningItem {
  id: string;
  type: "reasoning";
  summary: unknown[];
}

/** An item that a client sent. Most of its fields are only echoed. */
export interface InputItem {
  id: string;
  type: string;
  [key: string]: unknown;
}

export type OutputItem = ReasoningItem | CodeInterpreterCall | OutputMessage;
export type Item = OutputItem | InputItem;

export function isCodeInterpreterCall(item: Item): item is CodeInterpreterCall {
  return item.type === "code_interpreter_call" && "container_id" in item;
}
