// What a caller can do with a run by hand: refetch, cancel, delete.
import { readPolicy } from "../config.ts";
import { Problem } from "../errors.ts";
import { cancelResponse } from "../openai/client.ts";
import { toProblem } from "../openai/to-problem.ts";
import { toRecorderParams, type RecorderParams, type StoredRecord } from "../record/schema.ts";
import { forgetHolder, nudgeHolder, stopHolder } from "./holding.ts";
import { askRecorder, awaitRecorder, restartRecorder, wakeRecorder } from "./instance.ts";
import { FORGET } from "./recorder.ts";

/** Seconds to wait until a record is deleted. */
const DELETE_TIMEOUT_SECONDS = 20;

/** Observes a response now: in flight, after its end, or with an id never seen. */
export async function refetchRun(env: Env, id: string): Promise<void> {
  const asked = await askRecorder(env, id);
  if (asked.state !== "running") {
    return restartRecorder(env, toActionParams(env, id, "refetch", new Date().toISOString()));
  }
  await wakeRecorder(env, id, { kind: "refetch" });
  if (asked.known.held_due) await nudgeHolder(env, asked.known.holder);
}

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
  await wakeRecorder(env, id, { kind: "refetch" });
}

/**
 * Deletes everything that is stored of a run, and closes its held connection. The instance stays as a tombstone.
 * @throws Problem 503 `handover_failed` when the deletion is not confirmed in time.
 */
export async function deleteRun(env: Env, record: StoredRecord): Promise<void> {
  const { id } = record;
  await forgetHolder(env, record.holder);
  await restartRecorder(env, toActionParams(env, id, "delete", record.started_at));
  if (await awaitRecorder(env, id, DELETE_TIMEOUT_SECONDS, FORGET)) return;
  const message = "The record is being deleted. Ask for it again in a minute.";
  throw new Problem("handover_failed", message, { id, title: "The record is being deleted" });
}

function toActionParams(
  env: Env,
  id: string,
  action: "refetch" | "delete",
  at: string,
): RecorderParams {
  return toRecorderParams({ id, at, started_by: "refetch", policy: readPolicy(env), action });
}
