// Creates a run whose stream a Connection reads: a held run in place of a background run, or a followed one.
import type { Context } from "hono";
import * as z from "zod";
import { parseInclude, toRequestBody } from "../../api/create-params.ts";
import type { JsonBody } from "../../api/json-body.ts";
import { readPolicy } from "../../config.ts";
import { withLog } from "../../log.ts";
import { createConnectionName, openConnection } from "../../objects/connection/client.ts";
import type { Opening } from "../../objects/connection/report.ts";
import { handOverFailed } from "../../objects/hand-over.ts";
import type { StartParams } from "../../record/connection/state.ts";
import { withoutOwnPair } from "../../record/request/metadata.ts";
import { redactRequest } from "../../record/request/redact.ts";
import type { RunConnection, TriggerOptions } from "../../record/schema.ts";
import { ID_UNKNOWN, mayHaveStarted, whyNotOpened } from "../create-failure.ts";
import type { App } from "../middleware/auth.ts";
import { fromRefusal, type OpenAIError } from "./errors.ts";
import { callerHeaders } from "./proxy.ts";

export const Params = z.record(z.string(), z.unknown());

const NO_FLAGS = { stream: false, control: false, retention_days: null };

/** What a create came to, unless it failed: the first response object, with OpenAI's headers, or a refusal. */
export type Created =
  | {
      kind: "created";
      id: string;
      status: string;
      response: Record<string, unknown>;
      headers: Record<string, string>;
      /** The Connection that reads the run's stream; null when none does. */
      connection: RunConnection | null;
    }
  | { kind: "refused"; answer: OpenAIError };

/**
 * Starts a run whose stream is read by a Connection.
 * @param given The body of a create with `background: true`.
 * @param kind `held`: OpenAI runs it in the foreground. `followed`: in the background.
 * @throws Problem 502 `may_have_started`, 503 `handover_failed`.
 */
export async function createConnected(
  c: Context<App>,
  { json, value }: JsonBody,
  kind: RunConnection["kind"],
): Promise<Created> {
  const sent = Params.parse(value);
  const include = parseInclude(sent);
  const isHeld = kind === "held";
  const request = {
    ...sent,
    ...(include === null ? {} : { include }),
    background: !isHeld,
    stream: true,
    store: sent["store"] ?? true,
  };
  const options = { ...toOptions(sent["include"], isHeld), stream: !isHeld };
  const start = toStart(c, options, request, json.byteLength);
  const body = toRequestBody(json, sent, request);
  const params = { kind, start };
  const connection = { id: createConnectionName(), kind };
  const opening = await withLog(
    "trigger",
    { by: "v1" },
    () => openConnection(c.env, connection.id, body, params, callerHeaders(c)),
    (how) => ({ id: how.kind === "opened" ? how.id : null, outcome: how.kind }),
  );
  return toCreated(opening, connection);
}

/**
 * The options of a run of /v1.
 * @param include The caller's own values: refetches ask for the results of the tools in any case.
 */
export function toOptions(include: unknown, hold: boolean): TriggerOptions {
  const names = z.array(z.unknown()).catch([]).parse(include);
  return { include: names.filter((name) => typeof name === "string"), ...NO_FLAGS, hold };
}

/**
 * What its Recorder starts with.
 * @param jsonBytes The size of the request's JSON.
 */
export function toStart(
  c: Context<App>,
  options: TriggerOptions,
  request: Record<string, unknown>,
  jsonBytes: number,
): StartParams {
  return {
    at: new Date().toISOString(),
    started_by: "v1",
    policy: readPolicy(c.env, new URL(c.req.url).origin),
    options,
    request: redactRequest(request, jsonBytes),
    control: null,
    webhook: null,
  };
}

function toCreated(opening: Opening, connection: RunConnection): Created {
  if (opening.kind === "refused") return { kind: "refused", answer: fromRefusal(opening) };
  if (opening.kind === "failed") {
    throw mayHaveStarted(whyNotOpened(opening), ID_UNKNOWN, { id: opening.id });
  }
  const { id, status, response, isHandedOver, headers = {} } = opening;
  if (!isHandedOver)
    throw handOverFailed(id, "Its connection starts it later; ask for it by this id");
  return { kind: "created", id, status, response: toBackground(response), headers, connection };
}

/** A response object as a background run's. */
export function toBackground(json: Uint8Array): Record<string, unknown> {
  const response = Params.parse(JSON.parse(new TextDecoder().decode(json)));
  return { ...response, background: true, metadata: withoutOwnPair(response["metadata"]) };
}
