// Creates responses. What becomes of a background run is decided here; a foreground run is forwarded.
import type { Context } from "hono";
import { parseJsonBody, type JsonBody } from "../../api/json-body.ts";
import { HOLD, setting } from "../../config.ts";
import { concatChunks, readStart } from "../../lib/byte-stream.ts";
import { memberMap, parseValue } from "../../lib/json-scan.ts";
import { toRetrieveInclude } from "../../openai/client.ts";
import {
  decideHold,
  HOLD_HEADERS,
  toHoldHeader,
  type HoldDecision,
} from "../../record/request/hold.ts";
import type { App } from "../middleware/auth.ts";
import { limitTriggers } from "../middleware/rate-limit.ts";
import { startOnce } from "../once.ts";
import { createBackground } from "./background-create.ts";
import { toOpenAIError, type OpenAIError } from "./errors.ts";
import { createConnected, Params, type Created } from "./held-create.ts";
import { createLarge } from "./large-create.ts";
import { forward } from "./proxy.ts";
import { showResponse, streamResponse } from "./retrieve.ts";
import { streamRun } from "./stream-run.ts";

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
  // OpenAI refuses it.
  if (typeof (params["stream"] ?? false) !== "boolean") return forward(c, { body: given.json });
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
  const isStreamed = Params.parse(given.value)["stream"] === true;
  const once = await startOnce(c, {
    given,
    scope: "v1 ",
    start: () => finish(c, startRun(c, given, decision, isStreamed)),
    toRun: (created) => (created.kind === "created" ? created : null),
  });
  const include = readInclude(given);
  if (once.kind === "first") return toAnswer(c, once.result, isStreamed ? include : null);
  return isStreamed
    ? streamResponse(c, once.id, include)
    : showResponse(c, once.id, toRetrieveInclude(include));
}

function startRun(
  c: Context<App>,
  given: JsonBody,
  { isHeld }: HoldDecision,
  isStreamed: boolean,
): Promise<Created> {
  if (isHeld) return createConnected(c, given, "held");
  return isStreamed ? createConnected(c, given, "followed") : createBackground(c, given);
}

// Create and hand-over finish even when the caller hangs up: a response that runs must be recorded.
function finish<T>(c: Context<App>, work: Promise<T>): Promise<T> {
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}

/**
 * @param streamInclude The caller's `include` values when the caller wants the run's events, else null.
 */
function toAnswer(
  c: Context<App>,
  created: Created,
  streamInclude: string[] | null,
): Response | OpenAIError {
  if (created.kind === "refused") return created.answer;
  const { id, connection, response, headers } = created;
  if (streamInclude === null || connection === null) return c.json(response, 200, headers);
  const isHeld = connection.kind === "held";
  const view = { isHeld, include: new Set(streamInclude), obfuscates: true };
  return streamRun(c, { id, connection: connection.id, view, after: -1 }, headers);
}

function readInclude({ value }: JsonBody): string[] {
  const { include } = Params.parse(value);
  return Array.isArray(include) ? include.filter((name) => typeof name === "string") : [];
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
