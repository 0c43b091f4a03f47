import * as z from "zod";
import type { Item } from "./items.ts";

const CHARACTERS_PER_TOKEN = 4;

export interface Usage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

/** Estimates tokens from characters, because the emulator has no tokenizer. */
export function estimateUsage(inputText: string, output: readonly Item[]): Usage {
  const outputLength = output.reduce((sum, item) => sum + getTextLength(item), 0);
  const input_tokens = Math.ceil(inputText.length / CHARACTERS_PER_TOKEN);
  const output_tokens = Math.ceil(outputLength / CHARACTERS_PER_TOKEN);
  return {
    input_tokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
}

const Content = z.array(z.object({ text: z.string().optional(), refusal: z.string().optional() }));

/** The length of what the model wrote: code, arguments, or text. */
function getTextLength(item: Item): number {
  const parts = Content.safeParse(item.content).data ?? [];
  const texts = parts.map(({ text, refusal }) => text ?? refusal);
  return [item.code, item.arguments, item.input, ...texts].reduce<number>(
    (sum, text) => sum + (typeof text === "string" ? text.length : 0),
    0,
  );
}
