// Parses the parts of a response object that the pages show in addition to its calls.
import * as z from "zod";

/** A larger body is not parsed: an isolate has 128 MB. */
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
const OutputText = z.looseObject({ type: z.literal("output_text"), text: z.string() });
const ModelAnswer = z.looseObject({
  usage: Usage.nullish().catch(null),
  output: z.array(z.unknown()).catch([]),
  incomplete_details: z.looseObject({ reason: z.string() }).nullish().catch(null),
});

export type ModelAnswer = {
  usage: z.infer<typeof Usage> | null;
  /** The text of all messages. */
  text: string;
  /** Why the response is incomplete. */
  incompleteReason: string | null;
};

/**
 * Parses a response object.
 * @param bytes Its JSON; null when none is stored.
 */
export function parseModelAnswer(bytes: Uint8Array | null): ModelAnswer {
  const empty = { usage: null, text: "", incompleteReason: null };
  if (bytes === null || bytes.byteLength > MAX_PARSED_BYTES) return empty;
  const parsed = ModelAnswer.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) return empty;
  const { usage, output, incomplete_details: details } = parsed.data;
  return {
    usage: usage ?? null,
    text: output.flatMap(toMessageTexts).join("\n\n"),
    incompleteReason: details?.reason ?? null,
  };
}

function toMessageTexts(item: unknown): string[] {
  const message = Message.safeParse(item);
  if (!message.success) return [];
  return message.data.content.flatMap((part) => {
    const text = OutputText.safeParse(part);
    return text.success ? [text.data.text] : [];
  });
}
