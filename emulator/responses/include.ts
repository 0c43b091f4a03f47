import type { Context } from "hono";
import { ApiError } from "../errors.ts";

/** The values of `include` that have an effect here. */
export const INCLUDE = {
  outputs: "code_interpreter_call.outputs",
  sources: "web_search_call.action.sources",
  results: "file_search_call.results",
  logprobs: "message.output_text.logprobs",
  encryptedReasoning: "reasoning.encrypted_content",
} as const;

/** All values of `include`. */
export const SUPPORTED_INCLUDE = [
  INCLUDE.results,
  "web_search_call.results",
  INCLUDE.sources,
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  INCLUDE.outputs,
  INCLUDE.encryptedReasoning,
  INCLUDE.logprobs,
] as const;

/** The values that a setting makes the API refuse; null: none. */
type Refused = readonly string[] | null;

/** Throws the API's 400 for the first value of `include` that is unsupported or refused. */
export function assertInclude(values: string[], refused: Refused): void {
  const allowed: readonly string[] = SUPPORTED_INCLUDE.filter((value) => !refused?.includes(value));
  const index = values.findIndex((value) => !allowed.includes(value));
  if (index < 0) return;
  const supported = allowed.map((value) => `'${value}'`).join(", ");
  const message = `Invalid value: '${values[index]}'. Supported values are: ${supported}.`;
  throw new ApiError(400, message, { param: `include[${index}]`, code: "invalid_value" });
}

/** Parses a query's `include`. Of a persisted response, encrypted reasoning cannot be included. */
export function parseIncludeQuery(
  c: Context,
  { persisted, refused }: { persisted: boolean; refused: Refused },
): Set<string> {
  const values = getIncludeValues(c);
  assertInclude(values, refused);
  if (persisted && values.includes(INCLUDE.encryptedReasoning)) {
    const message = "Encrypted content cannot be requested for persisted responses.";
    throw new ApiError(400, message, { param: "include" });
  }
  return new Set(values);
}

/** Collects the values of `include`, `include[]` and `include[0]`. */
function getIncludeValues(c: Context): string[] {
  const queries = Object.entries(c.req.queries());
  return queries.filter(([key]) => /^include(\[\d*\])?$/.test(key)).flatMap(([, values]) => values);
}
