/** Builds the stream events of an item's parts. */
import * as z from "zod";

/** A stream event of an item. `output_index` and `item_id` are added to its body. */
export interface ItemEvent {
  type: string;
  body?: Record<string, unknown>;
  /** Whether it is one of the deltas that a pace spreads in time. */
  isDelta?: boolean;
  /** Some events of shell calls name no item. */
  omitsItemId?: boolean;
}

/** Splits a text into deltas. */
export type Split = (text: string) => string[];

const Part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  refusal: z.string().optional(),
  annotations: z.array(z.unknown()).optional(),
  logprobs: z.array(z.unknown()).optional(),
});
type Part = z.infer<typeof Part>;
export const Parts = z.array(Part);
export const ShellOutputs = z.array(z.looseObject({ stdout: z.string(), stderr: z.string() }));

/** The deltas of a text and its done event. */
export function toTextEvents(
  name: string,
  field: string,
  text: string,
  place: Record<string, unknown>,
  split: Split,
  more: Record<string, unknown> = {},
): ItemEvent[] {
  const logprobs = name === "output_text" ? { logprobs: [] } : {};
  const deltas = split(text).map((delta) => ({
    type: `${name}.delta`,
    body: { ...place, delta, ...logprobs },
    isDelta: true,
  }));
  const done = { type: `${name}.done`, body: { ...place, ...more, [field]: text, ...logprobs } };
  return [...deltas, done];
}

export function toContentEvents(
  { logprobs, ...rest }: Part,
  content_index: number,
  split: Split,
): ItemEvent[] {
  const place = { content_index };
  // Only the whole item shows log probabilities, to a client who includes them.
  const part: Part = logprobs ? { ...rest, logprobs: [] } : { ...rest };
  const isRefusal = part.type === "refusal";
  const emptyPart = isRefusal ? { ...part, refusal: "" } : { ...part, text: "", annotations: [] };
  const events = isRefusal
    ? toTextEvents("refusal", "refusal", toText(part.refusal), place, split)
    : toTextEvents("output_text", "text", toText(part.text), place, split);
  const annotations = (part.annotations ?? []).map((annotation, annotation_index) => ({
    type: "output_text.annotation.added",
    body: { ...place, annotation_index, annotation },
  }));
  return [
    { type: "content_part.added", body: { ...place, part: emptyPart } },
    ...events.slice(0, -1),
    ...annotations,
    ...events.slice(-1),
    { type: "content_part.done", body: { ...place, part } },
  ];
}

export function toSummaryEvents(part: Part, summary_index: number, split: Split): ItemEvent[] {
  const place = { summary_index };
  return [
    { type: "reasoning_summary_part.added", body: { ...place, part: { ...part, text: "" } } },
    ...toTextEvents("reasoning_summary_text", "text", toText(part.text), place, split),
    { type: "reasoning_summary_part.done", body: { ...place, part } },
  ];
}

export function toShellOutputEvents(
  output: { stdout: string; stderr: string },
  command_index: number,
): ItemEvent[] {
  const delta = { stdout: output.stdout, stderr: output.stderr };
  return [
    { type: "shell_call_output_content.delta", body: { command_index, delta }, isDelta: true },
    { type: "shell_call_output_content.done", body: { command_index, output: [output] } },
  ];
}

/** A value as text; empty if it is none. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The entries of a list; none if it does not fit the schema. */
export function parseList<T>(schema: z.ZodType<T[]>, value: unknown): T[] {
  return schema.safeParse(value).data ?? [];
}
