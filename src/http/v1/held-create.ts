// Creates a run whose stream a Connection reads: a held run in place of a background run, or a followed one.
import type { Context } from "hono";
import * as z from "zod";
import { parseInclude, toRequestBody } from "../../api/create-params.ts";
import type { JsonBody } from "../../api/json-body.ts";
import { readPolicy } from "../../config.ts";
import { toSentence } from "../../lib/sentence.ts";
import { withLog } from "../../log.ts";
import { createConnectionName, openConnection } from "../../objects/connection/client.ts";
import type { Opening } from "../../objects/connection/report.ts";
import { redactRequest } from "../../record/redact.ts";
import type { RunConnection } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";
import { errorMessage, toApiError } from "../../openai/api-failure.ts";
import { OPENAI_KEY_REFUSED, toForbidden, toOpenAIError, type OpenAIError } from "./errors.ts";
import { streamRun } from "./stream-run.ts";

const Params = z.record(z.string(), z.unknown());

/**
 * Starts a run whose stream is read by a Connection.
 * @param given The body of a create with `background: true`. With `stream: true` the answer is the run's event stream.
 * @param kind `held`: OpenAI runs it in the foreground. `followed`: in the background.
 * @returns The first response object, as a background run's, or the event stream; or OpenAI's refusal.
 */
export async function startConnectedRun(
  c: Context<App>,
  { json, value }: JsonBody,
  kind: RunConnection["kind"],
): Promise<Response | OpenAIError> {
  const sent = Params.parse(value);
  const include = parseInclude(sent);
  const own = z.array(z.string()).catch([]).parse(sent["include"]);
  const isHeld = kind === "held";
  const request = {
    ...sent,
    ...(include === null ? {} : { include }),
    background: !isHeld,
    stream: true,
    store: sent["store"] ?? true,
  };
  const start = {
    at: new Date().toISOString(),
    started_by: "v1" as const,
    policy: readPolicy(c.env),
    options: {
      // A refetch asks for the results of the tools in any case.
      include: own,
      stream: !isHeld,
      control: false,
      hold: isHeld,
      retention_days: null,
    },
    request: redactRequest(request),
    control: null,
    webhook: null,
  };
  const body = toRequestBody(json, sent, request);
  const connection = createConnectionName();
  const opening = await withLog(
    "trigger",
    { by: "v1" },
    () => openConnection(c.env, connection, body, { kind, start }),
    (how) => ({ id: how.kind === "opened" ? how.id : null, outcome: how.kind }),
  );
  const answer = toAnswer(c, opening);
  if (opening.kind !== "opened" || !opening.isHandedOver || sent["stream"] !== true) return answer;
  const view = { isHeld, include: new Set(own), obfuscates: true };
  return streamRun(c, { id: opening.id, connection, view, after: -1 });
}

// The SDK retries a 5xx by itself, and each retry is billed.
function toAnswer(c: Context<App>, opening: Opening): Response | OpenAIError {
  if (opening.kind === "opened") return toFirstAnswer(c, opening);
  c.header("x-should-retry", "false");
  if (opening.kind === "failed") return mayHaveStarted(opening.message, opening.id);
  const { status, requestId, retryAfter } = opening;
  if (requestId !== null) c.header("x-request-id", requestId);
  if (status >= 500 || status === 408) return mayHaveStarted(`It answered ${status}.`, null);
  c.header("x-should-retry", undefined);
  if (retryAfter !== null) c.header("retry-after", retryAfter);
  if (status === 401) return OPENAI_KEY_REFUSED;
  if (status === 403) return toForbidden(errorMessage(toApiError(opening)));
  return forwardRefusal(opening);
}

function toFirstAnswer(
  c: Context<App>,
  { id, response, isHandedOver }: Extract<Opening, { kind: "opened" }>,
): Response | OpenAIError {
  c.header("x-should-retry", "false");
  if (isHandedOver) return c.json(toBackground(response));
  const message = `The response ${id} runs at OpenAI, but its Recorder could not be started. Its connection starts it later; ask for it by this id, and don't create it again.`;
  return toOpenAIError(503, message, { code: "handover_failed" });
}

/** A response object as a background run's. */
export function toBackground(json: Uint8Array): Record<string, unknown> {
  return { ...Params.parse(JSON.parse(new TextDecoder().decode(json))), background: true };
}

// `id`: of a response that started and can't be recorded.
function mayHaveStarted(reason: string, id: string | null): OpenAIError {
  const unknown = `It is not known whether OpenAI started the run: ${toSentence(reason)} Check /results before retrying: each retry is billed.`;
  return toOpenAIError(502, id === null ? unknown : reason, {
    code: "may_have_started",
    ...(id === null ? {} : { id }),
  });
}

const Status = z.custom<OpenAIError["status"]>((status) => typeof status === "number");

function forwardRefusal({ status, error }: Extract<Opening, { kind: "refused" }>): OpenAIError {
  const own = toOpenAIError(Status.parse(status), `OpenAI refused the request with ${status}.`);
  return { ...own, error: Params.safeParse(error).data ?? own.error };
}
