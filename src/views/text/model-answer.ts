// What the pages show of the response object besides its calls.
import * as z from "zod";

/** Larger bodies are not parsed a second time: an isolate has 128 MB. */
const MAX_PARSED_BYTES = 8 * 1024 * 1024;

const Usage = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  total_tokens: z.number(),
});
const Message = z.looseObject({
  type: z.literal("message"),
  content: z.array(z.unknown()),
});
const Text = z.looseObject({ type: z.literal("output_text"), text: z.string() });
const ModelAnswer = z.looseObject({
  usage: Usage.nullish().catch(null),
  output: z.array(z.unknown()).catch([]),
  incomplete_details: z.looseObject({ reason: z.string() }).nullish().catch(null),
});

export type ModelAnswer = {
  usage: z.infer<typeof Usage> | null;
  /** What the model said. */
  text: string;
  /** Why OpenAI cut it off. */
  reason: string | null;
};

/**
 * Reads a response object.
 * @param bytes Its JSON, or null.
 */
export function parseModelAnswer(bytes: Uint8Array | null): ModelAnswer {
  const nothing = { usage: null, text: "", reason: null };
  if (bytes === null || bytes.byteLength > MAX_PARSED_BYTES) return nothing;
  const parsed = ModelAnswer.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) return nothing;
  const { usage, output, incomplete_details: details } = parsed.data;
  return {
    usage: usage ?? null,
    text: output.flatMap(messageTexts).join("\n\n"),
    reason: details?.reason ?? null,
  };
}

function messageTexts(item: unknown): string[] {
  const message = Message.safeParse(item);
  if (!message.success) return [];
  return message.data.content.flatMap((part) => {
    const text = Text.safeParse(part);
    return text.success ? [text.data.text] : [];
  });
}
