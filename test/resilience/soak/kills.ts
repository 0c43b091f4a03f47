// Kills the Worker now and then, and wakes what it left asleep.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Random } from "../simulation/random.ts";
import { wake, type Stage } from "./runner.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";
import { inTurns } from "./concurrency.ts";

type When = {
  seed: number;
  responses: number;
  kills: number;
  say: (line: string) => void;
};

const Page = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** Seconds at the least from a restart to the next kill. */
const BREATH = 3;
/** Seconds between two questions whether there is something under way to be cut off. */
const MOMENT = 0.005;

/**
 * Kills the Worker at moments drawn from the seed, each time while requests are being answered.
 * @param stage Where the soak is played.
 * @param worker The Worker.
 * @param when How often, and over how long.
 * @param elapsed Seconds since the beginning.
 * @returns When it was killed, in milliseconds.
 */
export async function killAt(
  stage: Stage,
  worker: WorkerProcess,
  when: When,
  elapsed: () => number,
): Promise<number[]> {
  const random = new Random(when.seed, 0);
  const killed: number[] = [];
  for (let kill = 1; kill <= when.kills; kill += 1) {
    const started = (when.responses * (kill - random.next() / 2)) / when.kills;
    await sleep(BREATH * 1000);
    while (stage.ledger.started < started) await sleep(MOMENT * 1000);
    await somethingUnderWay(stage);
    const cut = stage.caller.underWay;
    killed.push(Date.now());
    stage.ledger.kills += 1;
    await worker.restart();
    when.say(
      `${elapsed().toFixed(0).padStart(5)} s  killed and restarted, with ${cut} requests under way`,
    );
    void wakePending(stage);
  }
  return killed;
}

async function somethingUnderWay({ caller }: Stage): Promise<void> {
  for (let tries = 0; tries < 1_000 && caller.underWay === 0; tries += 1) {
    await sleep(MOMENT * 1000);
  }
}

// Those that somebody follows are woken by whoever does; these by the Worker's own list.
async function wakePending(stage: Stage): Promise<void> {
  const ids = (await pending(stage)).filter((id) => !stage.ledger.open.has(id));
  await inTurns(ids, 8, (id) => wake(stage, id));
}

async function pending({ caller }: Stage): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const fate = await caller.ask(`/results?verdict=pending&limit=100${query}`);
    if (fate.kind !== "answered" || fate.status !== 200) return ids;
    const page: z.infer<typeof Page> = Page.parse(fate.body);
    ids.push(...page.results.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}
