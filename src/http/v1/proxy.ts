// Forwards requests to OpenAI unchanged, with the recorder's key in place of the caller's token.
import type { Context } from "hono";
import { proxy } from "hono/proxy";
import * as z from "zod";
import { hideOwnPair, hideOwnPairInEvents } from "../../api/answers/own-metadata.ts";
import { OPENAI_API_KEY, OPENAI_BASE_URL, setting } from "../../config.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { parseJson } from "../../lib/json-parse.ts";
import { toSentence } from "../../lib/sentence.ts";
import { logFailure } from "../../log.ts";
import { errorMessage } from "../../openai/api-failure.ts";
import type { CallerHeaders } from "../../openai/client.ts";
import type { App } from "../middleware/auth.ts";
import { toForbidden, toOpenAIError, OPENAI_KEY_REFUSED, type OpenAIError } from "./errors.ts";

/**
 * The paths that a caller's token opens. Keys, projects, webhook endpoints, fine-tuning and evals are for the owner alone,
 * and so is what gives out keys of its own: realtime and chatkit sessions.
 */
export const FORWARDED_PREFIXES: ReadonlySet<string> = new Set([
  "responses",
  "conversations",
  "containers",
  "files",
  "models",
  "chat",
  "completions",
  "embeddings",
  "images",
  "audio",
  "moderations",
  "vector_stores",
  "uploads",
  "batches",
  "skills",
  "videos",
  "assistants",
  "threads",
]);

/** A path segment that no server could read as another path. */
const PATH_SEGMENT = /^(?!\.{1,2}$)[\w.:@~=-]+$/;

/** Request headers that are forwarded. Others may identify the caller; organization and project follow from the key. */
const FORWARDED_HEADERS =
  /^(accept|accept-language|content-.*|user-agent|range|if-.*|idempotency-key|openai-beta|x-client-request-id|x-stainless-.*)$/;
/** Those of them that go along where the recorder sends a request of its own. */
const CALLER_HEADERS = /^(user-agent|openai-beta|x-client-request-id|x-stainless-.*)$/;

/** A request that differs from the caller's. */
export type Forwarding = {
  /** The body, when it was read already. */
  body?: Uint8Array | ReadableStream<Uint8Array>;
  /** A GET of this path and query in place of the caller's request. */
  get?: { path: string; search: string };
  /** The request goes on when the caller hangs up. */
  isDetached?: boolean;
};

/** Forwards a request. */
export async function forward(
  c: Context<App>,
  forwarding: Forwarding = {},
): Promise<Response | OpenAIError> {
  const { pathname, search } = new URL(c.req.url);
  const segments = (forwarding.get?.path ?? pathname.slice("/v1/".length)).split("/");
  const isAllowed = FORWARDED_PREFIXES.has(segments[0] ?? "");
  if (!isAllowed || !segments.every((segment) => PATH_SEGMENT.test(segment))) {
    const known = [...FORWARDED_PREFIXES].join(", ");
    const message = `The recorder does not pass on ${c.req.method} ${pathname}; OpenAI was not asked. Below /v1 it passes on ${known}. Send anything else to OpenAI, with a key of your own.`;
    return toOpenAIError(404, message, { code: "unknown_route" });
  }
  const query = forwarding.get?.search ?? search;
  const url = `${setting(c.env, OPENAI_BASE_URL)}/${segments.join("/")}${query}`;
  const answer = await send(c, url, forwarding);
  if (!(answer instanceof Response)) return answer;
  if (answer.status === 403) return toForbidden(await readMessage(answer));
  if (answer.status !== 401) return answer;
  // OpenAI's message contains a part of the key.
  await answer.body?.cancel();
  return OPENAI_KEY_REFUSED;
}

/** Forwards a request whose answer can have the recorder's own metadata pair, which no caller sees. */
export async function forwardHidingOwnPair(
  c: Context<App>,
  forwarding: Forwarding = {},
): Promise<Response | OpenAIError> {
  const answer = await forward(c, forwarding);
  if (!(answer instanceof Response) || !answer.ok) return answer;
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null) return answer;
  const type = answer.headers.get("content-type") ?? "";
  if (type.includes("text/event-stream")) {
    return withBody(answer, hideOwnPairInEvents(body));
  }
  if (!type.includes("json")) return answer;
  const json = await answer.bytes();
  return withBody(answer, streamChunks(hideOwnPair(json)));
}

/** The same answer with another body. */
export function withBody(answer: Response, body: ReadableStream<Uint8Array>): Response {
  const changed = new Response(body, answer);
  changed.headers.delete("content-length");
  return changed;
}

/** The caller's headers that go along where the recorder sends a request of its own. */
export function callerHeaders(c: Context<App>): CallerHeaders {
  return pickHeaders(c, CALLER_HEADERS);
}

async function send(
  c: Context<App>,
  url: string,
  { body, get, isDetached = false }: Forwarding,
): Promise<Response | OpenAIError> {
  try {
    return await proxy(url, {
      ...(get === undefined ? { raw: c.req.raw } : { method: "GET" }),
      ...(body === undefined ? {} : { body }),
      ...(isDetached ? { signal: null } : {}),
      headers: {
        ...pickHeaders(c, get === undefined ? FORWARDED_HEADERS : CALLER_HEADERS),
        authorization: `Bearer ${setting(c.env, OPENAI_API_KEY)}`,
      },
      // The key must not go to where a redirect leads.
      redirect: "manual",
    });
  } catch (error) {
    logFailure("forward", error, { path: c.req.path });
    const message = `OpenAI did not answer: ${toSentence(errorMessage(error))} Try again.`;
    return toOpenAIError(502, message, { code: "openai_unreachable" });
  }
}

const OwnError = z.object({ error: z.object({ message: z.string() }) });

async function readMessage(answer: Response): Promise<string> {
  const parsed = OwnError.safeParse(parseJson(await answer.text()));
  return parsed.data?.error.message ?? "it gave no reason.";
}

function pickHeaders(c: Context<App>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(c.req.header()).filter(([name]) => names.test(name)));
}
