// Creates responses. What becomes of a background run is decided here; a foreground run is forwarded.
import type { Context } from "hono";
import { parseJsonBody, type JsonBody } from "../../api/json-body.ts";
import { HOLD, setting } from "../../config.ts";
import { concatChunks, readStart } from "../../lib/byte-stream.ts";
import { memberMap, parseValue } from "../../lib/json-scan.ts";
import { toRetrieveInclude } from "../../openai/client.ts";
import { decideHold, HOLD_HEADERS, toHoldHeader, type HoldDecision } from "../../record/hold.ts";
import type { App } from "../middleware/auth.ts";
import { limitTriggers } from "../middleware/rate-limit.ts";
import { startOnce } from "../once.ts";
import { createBackground } from "./background-create.ts";
import { toOpenAIError, type OpenAIError } from "./errors.ts";
import { createHeld, Params, type Created } from "./held-create.ts";
import { createLarge } from "./large-create.ts";
import { forward } from "./proxy.ts";
import { showResponse } from "./retrieve.ts";

/** A larger request is not held. Inputs can contain images. */
const MAX_HELD_BYTES = 25 * 1024 * 1024;

/** `POST /responses`. */
export async function postResponse(c: Context<App>): Promise<Response | OpenAIError> {
  const stream: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (stream === null) return forward(c);
  const { chunks, rest } = await readStart(stream, MAX_HELD_BYTES);
  if (rest !== null) {
    // Whether it is a background run is not known yet.
    await limitTriggers(c);
    return finish(c, createLarge(c, chunks, rest));
  }
  const sent = concatChunks(chunks);
  // OpenAI refuses a body that is not JSON.
  if (!requestsBackground(sent)) return forward(c, { body: sent });
  return postBackground(c, parseJsonBody(sent));
}

async function postBackground(c: Context<App>, given: JsonBody): Promise<Response | OpenAIError> {
  const params = Params.parse(given.value);
  if ((params["stream"] ?? false) !== false) return streamRefused();
  const header = c.req.header("x-recorder-hold") ?? null;
  const wanted = HOLD_HEADERS.find((value) => value === header) ?? null;
  if (header !== null && wanted === null) return headerRefused(header);
  const decision = decideHold(setting(c.env, HOLD), wanted, params);
  await limitTriggers(c);
  return createOnce(c, given, decision);
}

async function createOnce(
  c: Context<App>,
  given: JsonBody,
  decision: HoldDecision,
): Promise<Response | OpenAIError> {
  c.set("hold", toHoldHeader(decision));
  const once = await startOnce(c, {
    given,
    scope: "v1 ",
    start: () => finish(c, decision.isHeld ? createHeld(c, given) : createBackground(c, given)),
    toRun: (created) => (created.kind === "created" ? created : null),
  });
  if (once.kind === "first") return toAnswer(c, once.result);
  const include = toRetrieveInclude(readInclude(given));
  return showResponse(c, once.id, include);
}

// Create and hand-over finish even when the caller hangs up: a response that runs must be recorded.
function finish<T>(c: Context<App>, work: Promise<T>): Promise<T> {
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}

function toAnswer(c: Context<App>, created: Created): Response | OpenAIError {
  if (created.kind === "refused") return created.answer;
  return c.json(created.response, 200, created.headers);
}

function readInclude({ value }: JsonBody): string[] {
  const { include } = Params.parse(value);
  return Array.isArray(include) ? include.filter((name) => typeof name === "string") : [];
}

function streamRefused(): OpenAIError {
  const message =
    "Here background can't be streamed: the recorder holds the stream. Leave stream out, and poll.";
  return toOpenAIError(400, message, { param: "stream" });
}

function headerRefused(header: string): OpenAIError {
  const known = HOLD_HEADERS.join(" or ");
  const message = `Invalid header X-Recorder-Hold: '${header}'. It must be ${known}; without it the recorder's setting HOLD decides.`;
  return toOpenAIError(400, message, { code: "invalid_value" });
}

// Scans the body without a copy: it can have megabytes. Of two members with the same name the last one counts.
function requestsBackground(json: Uint8Array): boolean {
  try {
    return parseValue(memberMap(json).get("background")) === true;
  } catch {
    return false;
  }
}
