// The control: the same request with `background: false`. It is streamed, so that an idle time limit does not cut a long run.
import * as z from "zod";
import { logFailure } from "../log.ts";
import {
  METADATA_KEY,
  type ControlResult,
  type Observation,
  type ObservedCall,
  type StoredCall,
} from "../record/schema.ts";
import { toApiFailure } from "./api-failure.ts";
import { collectStreamCalls } from "./channels.ts";
import { createResponseStream } from "./client.ts";
import { openEventStream } from "./event-stream.ts";
import { parseCalls } from "./response.ts";
import { toolTypes } from "./tools.ts";

/** Bytes of JSON that a request may have: it is stored in the Workflow's params, which hold 1 MiB. */
export const MAX_REQUEST_BYTES = 900 * 1024;

/** The step that runs a control ends after a day but does not end the connection, so the connection has the same limit. */
const CONTROL_TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** Tools that would act twice on the world. */
const TOOLS_WITH_SIDE_EFFECTS = new Set(["mcp", "function", "custom"]);

/**
 * Why a request can't run a second time in addition to its background run.
 * @param request Create parameters.
 * @returns The reason, or null when it can.
 */
export function nonRepeatableReason(request: Record<string, unknown>): string | null {
  if ((request["conversation"] ?? null) !== null) {
    return "it belongs to a conversation, which would get its items twice";
  }
  const acting = toolTypes(request["tools"]).find((type) => TOOLS_WITH_SIDE_EFFECTS.has(type));
  return acting === undefined ? null : `its ${acting} tool would act twice`;
}

/**
 * Runs a request with `background: false` and reads its events to the end.
 * @param request The background run's create parameters.
 * @param id The background run's response id.
 * @returns What was observed, and the calls' items. A failure is an observation as well.
 */
export async function runControl(
  env: Env,
  request: Record<string, unknown>,
  id: string,
): Promise<ControlResult & { outputs: unknown[] }> {
  try {
    const metadata = {
      ...toMetadata(request["metadata"]),
      [METADATA_KEY]: JSON.stringify({ control_of: id }),
    };
    const body = { ...request, background: false, stream: true, metadata };
    const signal = AbortSignal.timeout(CONTROL_TIMEOUT_MS);
    const stream = openEventStream(await createResponseStream(env, body, signal));
    const { requestId, httpStatus } = stream;
    const run = await collectStreamCalls(stream);
    const calls = parseCalls(run.items);
    return {
      observation: toControlObservation(httpStatus, run.status, requestId, calls),
      control: { id: run.id, status: run.status, calls: calls.map(toControlCall) },
      outputs: run.items,
    };
  } catch (error) {
    const { status, requestId, message } = toApiFailure(error);
    logFailure("control_request", message, { id, http_status: status });
    return {
      observation: toControlObservation(status, null, requestId, []),
      control: { id: null, status: status === null ? "unreachable" : "refused", calls: [] },
      outputs: [],
    };
  }
}

function toControlObservation(
  httpStatus: number | null,
  status: string | null,
  requestId: string | null,
  calls: ObservedCall[],
): Observation {
  return {
    at: new Date().toISOString(),
    channel: "control",
    http_status: httpStatus,
    status,
    request_id: requestId,
    calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
  };
}

function toControlCall(call: ObservedCall): StoredCall {
  return { ...call, verdict: null, source: call.state === "populated" ? "control" : null };
}

function toMetadata(metadata: unknown): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).catch({}).parse(metadata);
}
