// Rate limits for log-ins and triggers, configured in wrangler.toml and counted by Cloudflare.
import type { Context } from "hono";
import { ACCESS_TOKEN, setting } from "../../config.ts";
import { Problem, type ErrorCode } from "../../errors.ts";
import { sha256Hex } from "../../lib/sha256.ts";
import type { App } from "./auth.ts";
import { rateLimitKey } from "./ip-prefix.ts";

/** Both limits count by the minute. OpenAI's SDK of majors 4 and 5 ignores a value that is not below 60. */
const RETRY_AFTER_SECONDS = 59;

/**
 * Counts an attempt to log in, by the caller's address.
 * @throws Problem 429 when the limit is reached.
 */
export async function limitLogins(c: Context<App>): Promise<void> {
  // Cloudflare sets this header itself. Without Cloudflare all callers share one count.
  const address = c.req.header("cf-connecting-ip") ?? "";
  const key = `${await recorderKey(c)} ${rateLimitKey(address)}`;
  const { success } = await c.env.LOGIN_LIMIT.limit({ key });
  if (success) return;
  throw tooManyRequests("too_many_logins", "Too many attempts to log in from this address.");
}

/**
 * Counts a run that is about to start, by the access token.
 * @throws Problem 429 when the limit is reached.
 */
export async function limitTriggers(c: Context<App>): Promise<void> {
  const { success } = await c.env.TRIGGER_LIMIT.limit({ key: await recorderKey(c) });
  if (success) return;
  throw tooManyRequests(
    "too_many_triggers",
    "More runs were triggered within a minute than the recorder allows. Nothing was started.",
  );
}

/**
 * Tells this recorder's counts from those of another one in the account, whose limits may have the same `namespace_id`. Not the host does
 * so: behind a wildcard route a caller chooses it. A key is no place for a secret, so it is a hash of the token.
 */
function recorderKey(c: Context<App>): Promise<string> {
  return sha256Hex(`limit ${setting(c.env, ACCESS_TOKEN)}`);
}

function tooManyRequests(code: ErrorCode, message: string): Problem {
  return new Problem(code, `${message} Retry in a minute.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
