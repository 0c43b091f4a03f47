import { ApiError } from "../errors.ts";
import type { CreateParams } from "./create-params.ts";

/** The characters of one string in the input. */
const MAX_STRING_LENGTH = 10_485_760;

/** Throws the API's 400 for the first string of the input that is too long. */
export function assertInputLength(input: CreateParams["input"]): void {
  assertLength(input, "input");
  if (!Array.isArray(input)) return;
  for (const [index, { content }] of input.entries()) {
    const param = `input[${index}].content`;
    assertLength(content, param);
    if (!Array.isArray(content)) continue;
    for (const [part, { text }] of content.entries()) assertLength(text, `${param}[${part}].text`);
  }
}

function assertLength(value: unknown, param: string): void {
  if (typeof value !== "string" || value.length <= MAX_STRING_LENGTH) return;
  const message = `Invalid '${param}': string too long. Expected a string with maximum length ${MAX_STRING_LENGTH}, but got a string with length ${value.length} instead.`;
  throw new ApiError(400, message, { param, code: "string_above_max_length" });
}
