// Creates a held run in place of a background run.
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
import { withoutOwnPair } from "../../record/metadata.ts";
import { redactRequest } from "../../record/redact.ts";
import type { TriggerOptions } from "../../record/schema.ts";
import { ID_UNKNOWN, mayHaveStarted, whyNotOpened } from "../create-failure.ts";
import type { App } from "../middleware/auth.ts";
import { fromRefusal, type OpenAIError } from "./errors.ts";
import { callerHeaders } from "./proxy.ts";

export const Params = z.record(z.string(), z.unknown());

/** What a create came to, unless it failed: the first response object, with OpenAI's headers, or a refusal. */
export type Created =
  | {
      kind: "created";
      id: string;
      status: string;
      response: Record<string, unknown>;
      headers: Record<string, string>;
    }
  | { kind: "refused"; answer: OpenAIError };

/**
 * Starts a held run.
 * @param given The body of a create with `background: true`.
 * @throws Problem 502 `may_have_started`, 503 `handover_failed`.
 */
export async function createHeld(c: Context<App>, { json, value }: JsonBody): Promise<Created> {
  const sent = Params.parse(value);
  const include = parseInclude(sent);
  const request = {
    ...sent,
    ...(include === null ? {} : { include }),
    background: false,
    stream: true,
    store: sent["store"] ?? true,
  };
  const start = toStart(c, toOptions(include, true), request);
  const body = toRequestBody(json, sent, request);
  const params = { kind: "held" as const, start };
  const opening = await withLog(
    "trigger",
    { by: "v1" },
    () => openConnection(c.env, createConnectionName(), body, params, callerHeaders(c)),
    (how) => ({ id: how.kind === "opened" ? how.id : null, outcome: how.kind }),
  );
  return toCreated(opening);
}

/** The options of a run of /v1. */
export function toOptions(include: unknown[] | null, hold: boolean): TriggerOptions {
  const names = (include ?? []).filter((name) => typeof name === "string");
  return { include: names, stream: false, control: false, hold, retention_days: null };
}

/** What its Recorder starts with. */
export function toStart(
  c: Context<App>,
  options: TriggerOptions,
  request: Record<string, unknown>,
): StartParams {
  return {
    at: new Date().toISOString(),
    started_by: "v1",
    policy: readPolicy(c.env, new URL(c.req.url).origin),
    options,
    request: redactRequest(request),
    control: null,
    webhook: null,
  };
}

function toCreated(opening: Opening): Created {
  if (opening.kind === "refused") return { kind: "refused", answer: fromRefusal(opening) };
  if (opening.kind === "failed") {
    throw mayHaveStarted(whyNotOpened(opening), ID_UNKNOWN, { id: opening.id });
  }
  const { id, status, response, isHandedOver, headers = {} } = opening;
  if (!isHandedOver)
    throw handOverFailed(id, "Its connection starts it later; ask for it by this id");
  return { kind: "created", id, status, response: toBackground(response), headers };
}

/** A response object as a background run's. */
export function toBackground(json: Uint8Array): Record<string, unknown> {
  const response = Params.parse(JSON.parse(new TextDecoder().decode(json)));
  return { ...response, background: true, metadata: withoutOwnPair(response["metadata"]) };
}
