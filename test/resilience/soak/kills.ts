// Kills the Worker at random moments, and resumes the runs that the kill stopped.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Random } from "../simulation/random.ts";
import { resumeRun, type SoakContext } from "./runner.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";
import { forEachConcurrently } from "./concurrency.ts";

type KillPlan = {
  seed: number;
  responses: number;
  kills: number;
  onProgress: (line: string) => void;
};

const Page = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

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
    context.acknowledgements.kills += 1;
    await worker.restart();
    onProgress(
      `${elapsedSeconds().toFixed(0).padStart(5)} s  killed and restarted, with ${inFlight} requests in flight`,
    );
    void resumePendingRuns(context);
  }
  return killedAt;
}

async function waitForRequestInFlight({ client }: SoakContext): Promise<void> {
  for (let poll = 0; poll < MAX_POLLS && client.inFlight === 0; poll += 1) {
    await sleep(POLL_SECONDS * 1000);
  }
}

// Runs that are followed are resumed there; the others are found in the list.
async function resumePendingRuns(context: SoakContext): Promise<void> {
  const ids = (await listPendingIds(context)).filter(
    (id) => !context.acknowledgements.incomplete.has(id),
  );
  await forEachConcurrently(ids, 8, (id) => resumeRun(context, id));
}

async function listPendingIds({ client }: SoakContext): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const outcome = await client.request(`/results?verdict=pending&limit=100${query}`);
    if (outcome.kind !== "answered" || outcome.status !== 200) return ids;
    const page: z.infer<typeof Page> = Page.parse(outcome.body);
    ids.push(...page.results.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}
