/** One output of a call. */
export type CallOutput = { type: "logs"; logs: string } | { type: "image"; url: string };

/** An item of a response's input or output. What its type means stands in `item-kinds.ts`. */
export interface Item {
  id: string;
  type: string;
  [key: string]: unknown;
}

export type CodeInterpreterCall = {
  id: string;
  type: "code_interpreter_call";
  status: "in_progress" | "completed" | "incomplete";
  code: string;
  container_id: string;
  outputs: CallOutput[] | null;
};

export function isCodeInterpreterCall(item: Item): item is CodeInterpreterCall {
  return item.type === "code_interpreter_call" && "container_id" in item;
}

/** Whether an item is a client's or the API's output of a tool call. */
export function isToolOutput({ type }: { type?: unknown }): boolean {
  return typeof type === "string" && type.endsWith("_output");
}
