// Whatever isn't about a held run goes to OpenAI as it is, with the recorder's key in place of the caller's token.
import type { Context } from "hono";
import { proxy } from "hono/proxy";
import { OPENAI_API_KEY, OPENAI_BASE_URL, setting } from "../../config.ts";
import type { App } from "../middleware/auth.ts";
import { refusal, UNAUTHORIZED, type Refusal } from "./errors.ts";

/** What a caller's token is good for. Webhook endpoints, keys and the rest are the owner's alone. */
const OPEN = new Set(["responses", "conversations", "containers", "files", "models"]);

/** A part of a path: nothing that anybody could read as another path. */
const PART = /^(?!\.{1,2}$)[\w.:@~-]+$/;

/** Headers that a request takes along. Others may speak of the caller; whose organization and project it is follows from the key. */
const TAKEN =
  /^(accept|accept-language|content-.*|user-agent|range|if-.*|idempotency-key|openai-beta|x-client-request-id|x-stainless-.*)$/;

/**
 * Passes a request on.
 * @param c The request's context.
 * @param body Its body, where it was read already.
 */
export async function passOn(c: Context<App>, body?: Uint8Array): Promise<Response | Refusal> {
  const { pathname, search } = new URL(c.req.url);
  const parts = pathname.slice("/v1/".length).split("/");
  if (!OPEN.has(parts[0] ?? "") || !parts.every((part) => PART.test(part)))
    return refusal(404, `Invalid URL (${c.req.method} ${pathname})`);
  const answer = await proxy(`${setting(c.env, OPENAI_BASE_URL)}/${parts.join("/")}${search}`, {
    raw: c.req.raw,
    ...(body === undefined ? {} : { body }),
    headers: headersOf(c),
    // A redirect is the caller's to follow: the key must not go with it.
    redirect: "manual",
  });
  if (answer.status !== 401 && answer.status !== 403) return answer;
  // OpenAI's words name a part of the key.
  await answer.body?.cancel();
  return UNAUTHORIZED;
}

function headersOf(c: Context<App>): Record<string, string> {
  const given = Object.entries(c.req.header()).filter(([name]) => TAKEN.test(name));
  return {
    ...Object.fromEntries(given),
    authorization: `Bearer ${setting(c.env, OPENAI_API_KEY)}`,
  };
}
