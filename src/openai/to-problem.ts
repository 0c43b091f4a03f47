// OpenAI's failures, as a caller gets them.
import { Problem } from "../errors.ts";
import { toSentence } from "../lib/sentence.ts";
import { toApiFailure } from "./api-failure.ts";

/** Refusals that pass through: they mean the same for the caller as for us. */
const FORWARDED_STATUSES = [400, 404, 409, 413, 422, 429] as const;

/** OpenAI's refusal of our own key. A caller must not take it for a refusal of their token. */
export const KEY_REFUSED =
  "OpenAI refused the recorder's own key (OPENAI_API_KEY), not your token. Set a valid key: npx wrangler secret put OPENAI_API_KEY";

/** Before OpenAI's own words: the key may lack a permission, or the project may. */
export const KEY_FORBIDDEN =
  "OpenAI forbids this to the recorder's own key (OPENAI_API_KEY), not to your token";

/** After them. */
export const GIVE_PERMISSION =
  "Give that key the permission, or store another: npx wrangler secret put OPENAI_API_KEY";

/**
 * Converts a failure of OpenAI's to a Problem.
 * @param error What the SDK threw; a Problem stays as it is.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { status, code, message, requestId, param } = toApiFailure(error);
  const details = { requestId: requestId ?? undefined };
  if (status === 401) return new Problem("openai_unauthorized", KEY_REFUSED, details);
  if (status === 403) {
    return new Problem(
      "openai_unauthorized",
      `${KEY_FORBIDDEN}: ${toSentence(message)} ${GIVE_PERMISSION}`,
      details,
    );
  }
  if (status === null || status >= 500) {
    const what = status === null ? "OpenAI did not answer" : `OpenAI failed with ${status}`;
    const words = `${what}: ${toSentence(message)} Try again.`;
    return new Problem("openai_unreachable", words, details);
  }
  const forwarded = FORWARDED_STATUSES.find((known) => known === status) ?? 400;
  return new Problem("openai_refused", message, {
    ...details,
    param: param ?? undefined,
    upstream: { status: forwarded, code },
  });
}
