// Finds runs that should have reported, in case an alarm was lost.
import { log, logFailure } from "../log.ts";
import { takeOverdueRuns } from "./catalog/client.ts";
import { getRecorder } from "./recorder/client.ts";

/** Runs that are poked at once: an invocation may make so many requests to objects on the free plan too. */
const MAX_POKED_RUNS = 100;

/** Pokes the runs that are overdue at a time, the longest overdue first. A poke sets a Recorder's alarm, and it changes nothing else. */
export async function pokeOverdueRuns(env: Env, nowMs: number): Promise<void> {
  const ids = await takeOverdueRuns(env, MAX_POKED_RUNS, nowMs);
  if (ids.length > 0) log("reconcile", { overdue: ids.length });
  await Promise.all(ids.map((id) => poke(env, id)));
}

// One that fails is overdue again later.
async function poke(env: Env, id: string): Promise<void> {
  try {
    await getRecorder(env, id).poke();
  } catch (error) {
    logFailure("poke", error, { id });
  }
}
