// Kills the Worker at random moments. Nothing wakes what a kill stopped but its own alarm.
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../simulation/random.ts";
import type { SoakContext } from "./runner.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";

type KillPlan = {
  seed: number;
  responses: number;
  kills: number;
  onProgress: (line: string) => void;
};

/** The shortest time from a restart to the next kill. */
const MIN_UPTIME_SECONDS = 3;
const POLL_SECONDS = 0.005;
const MAX_POLLS = 1_000;

/**
 * Kills the Worker at moments drawn from the seed, each time while requests are being answered.
 * @param elapsedSeconds Returns the time since the start.
 * @returns The times of the kills, in milliseconds since 1970.
 */
export async function killRepeatedly(
  context: SoakContext,
  worker: WorkerProcess,
  { seed, responses, kills, onProgress }: KillPlan,
  elapsedSeconds: () => number,
): Promise<number[]> {
  const random = new Random(seed, 0);
  const killedAt: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const started = (responses * (kill - random.next() / 2)) / kills;
    await sleep(MIN_UPTIME_SECONDS * 1000);
    while (context.acknowledgements.started < started) await sleep(POLL_SECONDS * 1000);
    await waitForRequestInFlight(context);
    const inFlight = context.client.inFlight;
    killedAt.push(Date.now());
    // Without it the faults after each restart would be the same ones.
    await worker.restart({ SOAK_START: String(kill) });
    onProgress(
      `${elapsedSeconds().toFixed(0).padStart(5)} s  killed and restarted, with ${inFlight} requests in flight`,
    );
  }
  return killedAt;
}

async function waitForRequestInFlight({ client }: SoakContext): Promise<void> {
  for (let poll = 0; poll < MAX_POLLS && client.inFlight === 0; poll += 1) {
    await sleep(POLL_SECONDS * 1000);
  }
}
