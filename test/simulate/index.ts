// Plays many responses and counts what happened to them.
import { check, type Failure } from "./check.ts";
import { World } from "./world.ts";

/** Responses that are played at the same time, each in a time of its own. */
const AT_ONCE = 200;
/** Failed responses whose story is kept. */
const MOST_STORIES = 5;

export type Played = { number: number; failures: Failure[]; story: string[]; world: World };

export type Totals = {
  responses: number;
  steps: number;
  crashes: number;
  faults: Map<string, number>;
  verdicts: Map<string, number>;
  /** How many responses broke each invariant. */
  failures: Map<string, number>;
  failed: number[];
};

/**
 * Plays one response, and tells its story.
 * @param seed The run's seed.
 * @param number Which of its responses.
 */
export async function playOne(seed: number, number: number): Promise<Played> {
  return played(seed, number, true);
}

/**
 * Plays responses 0, 1, 2 … of a seed.
 * @param seed The run's seed.
 * @param responses How many.
 */
export async function simulate(seed: number, responses: number): Promise<Totals> {
  const totals: Totals = {
    responses,
    steps: 0,
    crashes: 0,
    faults: new Map(),
    verdicts: new Map(),
    failures: new Map(),
    failed: [],
  };
  for (let first = 0; first < responses; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, responses - first);
    const batch = Array.from({ length: count }, (_, index) => played(seed, first + index, false));
    for (const one of await Promise.all(batch)) add(totals, one);
  }
  return totals;
}

async function played(seed: number, number: number, tells: boolean): Promise<Played> {
  const world = new World(seed, number, tells);
  await world.play();
  return { number, failures: check(world), story: world.story, world };
}

function add(totals: Totals, { number, failures, world }: Played): void {
  for (const instance of world.instances) totals.steps += instance.steps;
  totals.crashes += world.crashes;
  for (const [kind, count] of world.counts) more(totals.faults, kind, count);
  more(totals.verdicts, verdictOf(world), 1);
  for (const invariant of new Set(failures.map((failure) => failure.invariant)))
    more(totals.failures, invariant, 1);
  if (failures.length > 0 && totals.failed.length < MOST_STORIES) totals.failed.push(number);
}

function verdictOf({ deleted, kv }: World): string {
  return deleted ? "deleted" : (kv.record()?.known.verdict ?? "not recorded");
}

function more(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
