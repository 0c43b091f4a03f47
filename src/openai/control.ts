// The same request in the foreground: the comparison of the bug report. It is streamed, so that idle time doesn't cut a long one.
import { APIError } from "openai";
import * as z from "zod";
import { watch } from "./channels.ts";
import { connect } from "./event-stream.ts";
import { readCalls } from "./response.ts";
import { logFailure } from "../log.ts";
import { createStreamed, messageOf } from "./client.ts";
import { METADATA_KEY, type KnownCall, type Observation, type SeenCall } from "../record/schema.ts";
import type { Ran } from "../workflows/hands.ts";

/** Bytes of JSON that a request may have: it is kept in the Workflow's params, which hold 1 MiB. */
export const LARGEST_REQUEST = 900 * 1024;

/** Milliseconds after which its connection is closed: the step that runs it ends then, and what a step began doesn't end with it. */
const TIME_LIMIT = 24 * 60 * 60 * 1000;

/** Tools that would act twice on the world. */
const ACTING = new Set(["mcp", "function", "custom"]);

const Tools = z.array(z.looseObject({ type: z.string().catch("") }).catch({ type: "" })).catch([]);

/**
 * Why a request can't be run a second time beside its background run.
 * @param request Create parameters.
 * @returns The reason, or null when it can.
 */
export function whyNotTwice(request: Record<string, unknown>): string | null {
  if ((request["conversation"] ?? null) !== null)
    return "it belongs to a conversation, which would get its items twice";
  const acting = Tools.parse(request["tools"]).find((tool) => ACTING.has(tool.type));
  return acting === undefined ? null : `its ${acting.type} tool would act twice`;
}

/**
 * Runs a request with `background: false` and reads its events to the end.
 * @param env The Worker's environment.
 * @param request The background run's create parameters.
 * @param id The background run's response.
 * @returns What was observed. A failure is an observation too.
 */
export async function runControl(
  env: Env,
  request: Record<string, unknown>,
  id: string,
): Promise<Ran & { outputs: unknown[] }> {
  try {
    const metadata = {
      ...pairs(request["metadata"]),
      [METADATA_KEY]: JSON.stringify({ control_of: id }),
    };
    const body = { ...request, background: false, stream: true, metadata };
    const connection = connect(await createStreamed(env, body, AbortSignal.timeout(TIME_LIMIT)));
    const { requestId, status } = connection;
    const ran = await watch(connection);
    const calls = readCalls(ran.items);
    return {
      observation: observation(status, ran.status, requestId, calls),
      control: { id: ran.id, status: ran.status, calls: calls.map(known) },
      outputs: ran.items,
    };
  } catch (error) {
    const status =
      error instanceof APIError && error.status !== undefined ? Number(error.status) : null;
    const requestId = error instanceof APIError ? (error.requestID ?? null) : null;
    logFailure("control_asked", messageOf(error), { id, http_status: status });
    return {
      observation: observation(status, null, requestId, []),
      control: { id: null, status: status === null ? "unreachable" : "refused", calls: [] },
      outputs: [],
    };
  }
}

function observation(
  http: number | null,
  status: string | null,
  requestId: string | null,
  calls: SeenCall[],
): Observation {
  const seen = calls.map((call) => ({ id: call.id, outputs: call.state }));
  const at = new Date().toISOString();
  return { at, channel: "control", http_status: http, status, request_id: requestId, calls: seen };
}

function known(call: SeenCall): KnownCall {
  return { ...call, verdict: null, source: call.state === "populated" ? "control" : null };
}

function pairs(metadata: unknown): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).catch({}).parse(metadata);
}
