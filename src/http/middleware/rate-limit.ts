// How often the doors may be tried, and runs be started. The numbers stand in wrangler.toml; Cloudflare counts.
import type { Context } from "hono";
import { ACCESS_TOKEN, setting } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { networkOf } from "./ip-prefix.ts";

/** Seconds after which a limit has room again: both count by the minute. */
const MINUTE = 60;

type Limited = Context<{ Bindings: Env }, string>;

/**
 * Counts one try to log in, by the address that it comes from.
 * @param c The request's context.
 * @throws Problem 429 when the minute's tries are used up.
 */
export async function countLogin(c: Limited): Promise<void> {
  // Cloudflare sets this header itself. Where nobody did, all callers share one count.
  const address = c.req.header("cf-connecting-ip") ?? "";
  const { success } = await c.env.LOGIN_LIMIT.limit({ key: networkOf(address) });
  if (success) return;
  throw tooMany("too_many_logins", "There were too many tries to log in from this address.");
}

/**
 * Counts one run that is to be started, by the access token.
 * @param c The request's context.
 * @throws Problem 429 when the minute's runs are used up.
 */
export async function countTrigger(c: Limited): Promise<void> {
  const { success } = await c.env.TRIGGER_LIMIT.limit({
    key: await nameOf(setting(c.env, ACCESS_TOKEN)),
  });
  if (success) return;
  throw tooMany(
    "too_many_triggers",
    "More runs were triggered within a minute than the recorder allows. Nothing was started.",
  );
}

// The token itself is for nobody's counters.
async function nameOf(token: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`limit ${token}`));
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

function tooMany(code: string, message: string): Problem {
  return new Problem(429, code, `${message} Try again in a minute.`, { retryAfter: MINUTE });
}
