// Kills the Worker now and then, and wakes what it left asleep.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Fate } from "./caller.ts";
import { Random } from "../simulate/random.ts";
import { isComplete, recordOf, type Stage } from "./play.ts";
import type { Served } from "./serve.ts";
import { inTurns } from "./turns.ts";

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
 * @param served The Worker.
 * @param when How often, and over how long.
 * @param elapsed Seconds since the beginning.
 * @returns When it was killed, in milliseconds.
 */
export async function killAt(
  stage: Stage,
  served: Served,
  when: When,
  elapsed: () => number,
): Promise<number[]> {
  const random = new Random(when.seed, 0);
  const waking: Promise<void>[] = [];
  const killed: number[] = [];
  for (let kill = 1; kill <= when.kills; kill += 1) {
    const started = (when.responses * (kill - random.next() / 2)) / when.kills;
    await sleep(BREATH * 1000);
    while (stage.ledger.started < started) await sleep(MOMENT * 1000);
    await somethingUnderWay(stage);
    const cut = stage.caller.underWay;
    killed.push(Date.now());
    await served.kill();
    when.say(
      `${elapsed().toFixed(0).padStart(5)} s  killed and restarted, with ${cut} requests under way`,
    );
    waking.push(wake(stage));
  }
  await Promise.all(waking);
  return killed;
}

async function somethingUnderWay({ caller }: Stage): Promise<void> {
  for (let tries = 0; tries < 1_000 && caller.underWay === 0; tries += 1) {
    await sleep(MOMENT * 1000);
  }
}

/**
 * Sends a wish to look to every run that is not complete, as `npm start` does: after a restart no local Workflow wakes by itself.
 * In production alarms do that.
 */
async function wake(stage: Stage): Promise<void> {
  const ids = new Set([...stage.ledger.open, ...(await pending(stage))]);
  await inTurns([...ids], 16, (id) => wakeOne(stage, id));
}

// A run that nobody knows stays unknown: a look would make a record of what was lost.
async function wakeOne({ caller }: Stage, id: string): Promise<void> {
  const record = recordOf(await insist(() => caller.ask(`/results/${id}`)));
  if (record === null || isComplete(record)) return;
  await insist(() => caller.ask(`/results/${id}/look`, { method: "POST" }));
}

// The next kill may come before the answer.
async function insist(ask: () => Promise<Fate>): Promise<Fate> {
  for (;;) {
    const fate = await ask();
    if (fate.kind === "answered" && fate.status < 500) return fate;
    await sleep(500);
  }
}

async function pending({ caller }: Stage): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const fate = await insist(() => caller.ask(`/results?verdict=pending&limit=100${query}`));
    if (fate.kind !== "answered" || fate.status !== 200) return ids;
    const page: z.infer<typeof Page> = Page.parse(fate.body);
    ids.push(...page.results.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}
