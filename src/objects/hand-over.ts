// Hands a response that runs at OpenAI over to its Recorder.
import { Problem } from "../errors.ts";
import { retry } from "../lib/retry.ts";
import { logFailure } from "../log.ts";
import type { RecorderParams } from "../record/schema.ts";
import { getRecorder } from "./recorder/client.ts";

/** Milliseconds between attempts to start a Recorder. */
const RETRY_MS = [200, 1_000];

/**
 * Starts the Recorder of a response.
 * @throws Problem 503 `handover_failed`.
 */
export async function handOver(env: Env, params: RecorderParams): Promise<void> {
  const { id } = params;
  try {
    await retry(
      RETRY_MS,
      async () => getRecorder(env, id).start(params),
      (error) => logFailure("handover", error, { id }),
    );
  } catch {
    throw handOverFailed(id, "OpenAI's webhook will start it");
  }
}

/**
 * The failure of a hand-over.
 * @param remedy What starts the Recorder later.
 */
export function handOverFailed(id: string, remedy: string): Problem {
  return new Problem(
    "handover_failed",
    `The response ${id} runs at OpenAI, but its Recorder could not be started. ${remedy}; don't create it again.`,
    { id, title: "It runs, but is not followed yet" },
  );
}
