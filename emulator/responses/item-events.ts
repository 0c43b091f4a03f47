/** Adds the stream events of an item's life. Each function takes the finished item. */
import type { EventLog } from "./event-log.ts";
import type { CodeInterpreterCall, OutputMessage, ReasoningItem } from "./items.ts";

const DELTAS_PER_TEXT = 4;

/** All events of a reasoning item. */
export function addReasoningEvents(
  events: EventLog,
  output_index: number,
  item: ReasoningItem,
): void {
  events.add("response.output_item.added", () => ({ output_index, item }));
  events.add("response.output_item.done", () => ({ output_index, item }));
}

/** The events of a call before its code runs. */
export function addCallStartEvents(
  events: EventLog,
  output_index: number,
  call: CodeInterpreterCall,
): void {
  const { id: item_id, code } = call;
  const place = { output_index, item_id };
  const item = { ...call, status: "in_progress", code: "", outputs: null };
  events.add("response.output_item.added", () => ({ output_index, item }));
  events.add("response.code_interpreter_call.in_progress", () => place);
  for (const delta of splitIntoDeltas(code)) {
    events.add("response.code_interpreter_call_code.delta", () => ({ ...place, delta }));
  }
  events.add("response.code_interpreter_call_code.done", () => ({ ...place, code }));
  events.add("response.code_interpreter_call.interpreting", () => place);
}

/** The events of a call after its code ran. */
export function addCallEndEvents(
  events: EventLog,
  output_index: number,
  call: CodeInterpreterCall,
): void {
  const place = { output_index, item_id: call.id };
  events.add("response.code_interpreter_call.completed", () => place);
  events.add("response.output_item.done", (view) => ({ output_index, item: view(call) }));
}

/** All events of the assistant's message: its text, then its citations. */
export function addMessageEvents(
  events: EventLog,
  output_index: number,
  message: OutputMessage,
): void {
  const part = message.content[0];
  if (!part) return;
  const place = { output_index, item_id: message.id, content_index: 0 };
  const item = { ...message, status: "in_progress", content: [] };
  const emptyPart = { ...part, annotations: [], text: "" };
  events.add("response.output_item.added", () => ({ output_index, item }));
  events.add("response.content_part.added", () => ({ ...place, part: emptyPart }));
  for (const delta of splitIntoDeltas(part.text)) {
    events.add("response.output_text.delta", () => ({ ...place, delta, logprobs: [] }));
  }
  for (const [annotation_index, annotation] of part.annotations.entries()) {
    const body = { ...place, annotation_index, annotation };
    events.add("response.output_text.annotation.added", () => body);
  }
  events.add("response.output_text.done", () => ({ ...place, text: part.text, logprobs: [] }));
  events.add("response.content_part.done", () => ({ ...place, part }));
  events.add("response.output_item.done", () => ({ output_index, item: message }));
}

/** Splits a text into a few parts, never inside a character. */
function splitIntoDeltas(text: string): string[] {
  const maxLength = Math.max(1, Math.ceil(text.length / DELTAS_PER_TEXT));
  return text.match(new RegExp(`.{1,${maxLength}}`, "gsu")) ?? [];
}
