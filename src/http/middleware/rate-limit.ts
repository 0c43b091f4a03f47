// Rate limits for log-ins and triggers, configured in wrangler.toml and counted by Cloudflare.
import type { Context } from "hono";
import { Problem, type ErrorCode } from "../../errors.ts";
import type { App } from "./auth.ts";
import { toLoginKey, toTriggerKey } from "./rate-limit-key.ts";

/** Both limits count by the minute. OpenAI's SDK of majors 4 and 5 ignores a value that is not below 60. */
const RETRY_AFTER_SECONDS = 59;

/**
 * Counts an attempt to log in, by the caller's address.
 * @throws Problem 429 when the limit is reached.
 */
export async function limitLogins(c: Context<App>): Promise<void> {
  // Cloudflare sets this header itself. Without Cloudflare all callers share one count.
  const address = c.req.header("cf-connecting-ip") ?? "";
  const { success } = await c.env.LOGIN_LIMIT.limit({ key: toLoginKey(c.env, address) });
  if (success) return;
  throw tooManyRequests("too_many_logins", "Too many attempts to log in from this address.");
}

/**
 * Counts a run that is about to start, for this recorder.
 * @throws Problem 429 when the limit is reached.
 */
export async function limitTriggers(c: Context<App>): Promise<void> {
  const { success } = await c.env.TRIGGER_LIMIT.limit({ key: toTriggerKey(c.env) });
  if (success) return;
  throw tooManyRequests(
    "too_many_triggers",
    "More runs were triggered within a minute than the recorder allows. Nothing was started.",
  );
}

function tooManyRequests(code: ErrorCode, message: string): Problem {
  return new Problem(code, `${message} Retry in a minute.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
