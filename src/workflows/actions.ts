// What a caller can do with a run by hand, its held connection included: cancel, delete.
import { Problem } from "../errors.ts";
import { getRecorder, reportCancel } from "../objects/recorder/client.ts";
import { cancelResponse } from "../openai/client.ts";
import { toProblem } from "../openai/to-problem.ts";
import type { StoredRecord } from "../record/schema.ts";
import { forgetHolder, stopHolder } from "./holding.ts";

/**
 * Cancels a run in flight. Its end is recorded like any other.
 * @throws Problem 409 `already_ended`, or OpenAI's refusal.
 */
export async function cancelRun(env: Env, record: StoredRecord): Promise<void> {
  const { id } = record;
  if (record.verdict !== "pending") {
    const message = "The response has ended; there is nothing to cancel.";
    throw new Problem("already_ended", message, { id });
  }
  try {
    // OpenAI cancels no foreground run: it ends with its connection.
    if (record.held_due) await stopHolder(env, record.holder);
    else await cancelResponse(env, id);
  } catch (error) {
    throw toProblem(error);
  }
  await reportCancel(env, id);
}

/** Deletes everything that is stored of a run, and closes its held connection. */
export async function deleteRun(env: Env, { id, holder }: StoredRecord): Promise<void> {
  await forgetHolder(env, holder);
  await getRecorder(env, id).remove();
}
