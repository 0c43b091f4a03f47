// What OpenAI refuses, as our caller is told.
import { APIError } from "openai";
import { Problem } from "../errors.ts";
import { messageOf } from "./client.ts";

/** Refusals that mean the same to our caller as to us. */
const PASSED_ON = [400, 404, 409, 413, 422, 429] as const;

/**
 * A failure of OpenAI's as our caller's problem.
 * @param error What the SDK threw.
 */
export function refusedByOpenAI(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status =
    error instanceof APIError && error.status !== undefined ? Number(error.status) : null;
  const requestId = error instanceof APIError ? (error.requestID ?? undefined) : undefined;
  const code = error instanceof APIError ? error.code : null;
  const param = error instanceof APIError ? (error.param ?? undefined) : undefined;
  if (status === 401 || status === 403) {
    const message =
      "OpenAI refused the recorder's own key (OPENAI_API_KEY), not your token. Set a valid key: npx wrangler secret put OPENAI_API_KEY";
    return new Problem(502, "openai_unauthorized", message, { requestId });
  }
  if (status === null || status >= 500) {
    return new Problem(
      502,
      "openai_unreachable",
      `OpenAI did not answer: ${messageOf(error)}. Try again.`,
      { requestId },
    );
  }
  const passed = PASSED_ON.find((known) => known === status) ?? 400;
  return new Problem(passed, code ?? "openai_refused", messageOf(error), { requestId, param });
}
