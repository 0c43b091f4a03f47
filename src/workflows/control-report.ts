// Starts controls, and reports how they ended to the Recorder of their run.
import { retry } from "../lib/retry.ts";
import { logFailure } from "../log.ts";
import { getRecorder } from "../objects/recorder/client.ts";
import type { ControlResult } from "../record/schema.ts";
import { MAX_VALUE_BYTES } from "../record/limits.ts";

/** Milliseconds between reports. What a control brought is nowhere else. */
const REPORT_RETRY_MS = [1_000, 5_000, 20_000, 60_000, 60_000];

const NOT_RUN: ControlResult = {
  observation: null,
  control: { id: null, status: "not_run", calls: [] },
};

/**
 * Starts a run's control. It never throws: a control that could not be started is reported as not run.
 * @param id The background run's response id.
 * @param request Its create parameters.
 */
export async function startControl(
  env: Env,
  id: string,
  request: Record<string, unknown>,
): Promise<void> {
  try {
    await env.HOLDER.create({ id: crypto.randomUUID(), params: { control_of: id, request } });
  } catch (error) {
    logFailure("control", error, { id });
    // Where the Recorder can't be reached either, it waits for the control until its time limit.
    await reportControl(env, id, NOT_RUN, []).catch(() => undefined);
  }
}

/** Reports the end of a control. */
export async function reportControl(
  env: Env,
  id: string,
  result: ControlResult,
  outputs: unknown[],
): Promise<void> {
  const json = outputs.length === 0 ? null : new TextEncoder().encode(JSON.stringify(outputs));
  // What it observed counts, also where what it printed can't be stored.
  const bytes = json !== null && json.byteLength > MAX_VALUE_BYTES ? null : json;
  await retry(
    REPORT_RETRY_MS,
    async () => getRecorder(env, id).controlEnded(result, bytes),
    (error) => logFailure("control_report", error, { id }),
  );
}
