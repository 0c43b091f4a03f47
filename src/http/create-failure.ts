// A create that OpenAI did not answer: the run may have started.
import { Problem } from "../errors.ts";
import { toSentence } from "../lib/sentence.ts";

/** What becomes of a response that may have started: in the background, and in the foreground. */
export const WEBHOOK_WILL_RECORD =
  "If it started, OpenAI's webhook will record it. Check /results before retrying: each retry is billed.";
export const ID_UNKNOWN =
  "If it started, its id is unknown and no webhook will report it. Each retry is billed.";

/**
 * The failure.
 * @param why What happened.
 * @param consequence One of the above.
 * @param details OpenAI's request id, and the id of a response that started and can't be recorded.
 */
export function mayHaveStarted(
  why: string,
  consequence: string,
  { requestId = null, id = null }: { requestId?: string | null; id?: string | null } = {},
): Problem {
  const details = { requestId: requestId ?? undefined, id: id ?? undefined };
  const message =
    id === null
      ? `It is not known whether the response started: ${toSentence(why)} ${consequence}`
      : why;
  return new Problem("may_have_started", message, details);
}

/** What happened to a request over a connection that was not opened. */
export function whyNotOpened({ isLate, message }: { isLate: boolean; message: string }): string {
  return isLate
    ? `OpenAI did not start the run within 20 s (${message}), and the connection was closed`
    : message;
}
