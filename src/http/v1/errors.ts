// Errors in OpenAI's own shape, as its SDK expects them.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Problem } from "../../errors.ts";

/** An answer in OpenAI's shape. */
export type Refusal = { status: ContentfulStatusCode; error: Record<string, unknown> };

/**
 * What the caller did wrong.
 * @param status HTTP status.
 * @param message What is wrong and what to do.
 * @param more What it is about.
 */
export function refusal(
  status: ContentfulStatusCode,
  message: string,
  more: { param?: string; code?: string } = {},
): Refusal {
  return { status, error: { message, type: typeOf(status), param: null, code: null, ...more } };
}

function typeOf(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/**
 * A problem of the recorder's.
 * @param problem What was thrown.
 */
export function ofProblem({ status, message, code, param }: Problem): Refusal {
  const known = status === 429 ? "rate_limit_exceeded" : code;
  return refusal(status, message, { code: known, ...(param === undefined ? {} : { param }) });
}

/** OpenAI's refusal of the recorder's key: a caller must not take it for one of the token. */
export const UNAUTHORIZED = refusal(
  502,
  "OpenAI refused the recorder's own key (OPENAI_API_KEY), not your token. Set a valid key: npx wrangler secret put OPENAI_API_KEY",
  { code: "openai_unauthorized" },
);
