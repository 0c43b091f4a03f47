// Errors in the shape of OpenAI's API, which its SDKs expect.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Problem } from "../../errors.ts";
import { toSentence } from "../../lib/sentence.ts";
import { withoutKeys } from "../../openai/api-failure.ts";
import { GIVE_PERMISSION, KEY_FORBIDDEN, KEY_REFUSED } from "../../openai/to-problem.ts";

/** An error answer in OpenAI's shape. */
export type OpenAIError = { status: ContentfulStatusCode; error: Record<string, unknown> };

/**
 * An error in OpenAI's shape.
 * @param message What is wrong and what to do.
 * @param details The parameter at fault, a code, and the response that it is about.
 */
export function toOpenAIError(
  status: ContentfulStatusCode,
  message: string,
  details: { param?: string; code?: string; id?: string } = {},
): OpenAIError {
  return {
    status,
    error: { message, type: errorType(status), param: null, code: null, ...details },
  };
}

function errorType(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** A Problem in OpenAI's shape. */
export function fromProblem({ status, message, code, param }: Problem): OpenAIError {
  const known = status === 429 ? "rate_limit_exceeded" : code;
  return toOpenAIError(status, message, { code: known, ...(param === undefined ? {} : { param }) });
}

/** OpenAI's refusal of our own key. */
export const OPENAI_KEY_REFUSED = toOpenAIError(502, KEY_REFUSED, { code: "openai_unauthorized" });

/** OpenAI's refusal of what our key may do, with its own words. */
export function toForbidden(message: string): OpenAIError {
  const words = `${KEY_FORBIDDEN}: ${toSentence(withoutKeys(message))} ${GIVE_PERMISSION}`;
  return toOpenAIError(502, words, { code: "openai_unauthorized" });
}
