// Forwards requests to OpenAI unchanged, with the recorder's key in place of the caller's token.
import type { Context } from "hono";
import { proxy } from "hono/proxy";
import * as z from "zod";
import { OPENAI_API_KEY, OPENAI_BASE_URL, setting } from "../../config.ts";
import type { App } from "../middleware/auth.ts";
import { parseJson } from "../../lib/json-parse.ts";
import { toForbidden, toOpenAIError, OPENAI_KEY_REFUSED, type OpenAIError } from "./errors.ts";

/** The paths that a caller's token opens. Webhook endpoints, keys and the rest are for the owner alone. */
const ALLOWED_PREFIXES = new Set(["responses", "conversations", "containers", "files", "models"]);

/** A path segment that no server could read as another path. */
const PATH_SEGMENT = /^(?!\.{1,2}$)[\w.:@~=-]+$/;

/** Request headers that are forwarded. Others may identify the caller; organization and project follow from the key. */
const FORWARDED_HEADERS =
  /^(accept|accept-language|content-.*|user-agent|range|if-.*|idempotency-key|openai-beta|x-client-request-id|x-stainless-.*)$/;

/**
 * Forwards a request.
 * @param body Its body, when it was read already.
 */
export async function forward(c: Context<App>, body?: Uint8Array): Promise<Response | OpenAIError> {
  const { pathname, search } = new URL(c.req.url);
  const segments = pathname.slice("/v1/".length).split("/");
  const isAllowed = ALLOWED_PREFIXES.has(segments[0] ?? "");
  if (!isAllowed || !segments.every((segment) => PATH_SEGMENT.test(segment))) {
    return toOpenAIError(
      404,
      `Invalid URL (${c.req.method} ${pathname}). The recorder forwards ${[...ALLOWED_PREFIXES].join(", ")}.`,
    );
  }
  const answer = await proxy(`${setting(c.env, OPENAI_BASE_URL)}/${segments.join("/")}${search}`, {
    raw: c.req.raw,
    ...(body === undefined ? {} : { body }),
    headers: requestHeaders(c),
    // The key must not go to where a redirect leads.
    redirect: "manual",
  });
  if (answer.status === 403) return toForbidden(await readMessage(answer));
  if (answer.status !== 401) return answer;
  // OpenAI's message contains a part of the key.
  await answer.body?.cancel();
  return OPENAI_KEY_REFUSED;
}

const OwnError = z.object({ error: z.object({ message: z.string() }) });

async function readMessage(answer: Response): Promise<string> {
  const parsed = OwnError.safeParse(parseJson(await answer.text()));
  return parsed.data?.error.message ?? "it gave no reason.";
}

function requestHeaders(c: Context<App>): Record<string, string> {
  const given = Object.entries(c.req.header()).filter(([name]) => FORWARDED_HEADERS.test(name));
  return {
    ...Object.fromEntries(given),
    authorization: `Bearer ${setting(c.env, OPENAI_API_KEY)}`,
  };
}
