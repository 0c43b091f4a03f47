// What a caller can do with a run by hand, its Connections included: cancel it.
import { Problem } from "../errors.ts";
import { cancelResponse } from "../openai/client.ts";
import { toProblem } from "../openai/to-problem.ts";
import { closeConnection } from "./connection/client.ts";
import { getRecorder, reportCancel } from "./recorder/client.ts";

/** Milliseconds in which a followed stream may bring the end of the run that was cancelled. */
const LAST_EVENT_MS = 2_000;

/**
 * Cancels a run in flight, and its control. Its end is recorded like any other.
 * @throws Problem 409 `already_ended`, or OpenAI's refusal.
 */
export async function cancelRun(env: Env, id: string, isInFlight: boolean): Promise<void> {
  const { run, control } = await getRecorder(env, id).openConnections();
  if (!isInFlight && control === null) {
    const message = `The response has ended, and so has its control; there is nothing to cancel. GET /results/${id} has what they brought.`;
    throw new Problem("already_ended", message, { id });
  }
  await Promise.all([
    control === null ? null : closeConnection(env, control),
    isInFlight ? endRun(env, id, run) : null,
  ]);
}

async function endRun(
  env: Env,
  id: string,
  connection: { id: string; kind: "held" | "followed" } | null,
): Promise<void> {
  // OpenAI cancels no foreground run: it ends with its connection.
  if (connection?.kind === "held") await closeConnection(env, connection.id);
  else await cancelAtOpenAI(env, id);
  await reportCancel(env, id);
  if (connection?.kind === "followed") await closeConnection(env, connection.id, LAST_EVENT_MS);
}

async function cancelAtOpenAI(env: Env, id: string): Promise<void> {
  try {
    await cancelResponse(env, id);
  } catch (error) {
    throw toProblem(error);
  }
}
