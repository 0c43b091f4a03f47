// Plays many responses and counts what happened to them.
import { check, type Failure } from "./check.ts";
import { World } from "./world.ts";

/** Responses that are played at the same time, each in a time of its own. */
const AT_ONCE = 200;
/** Failed responses whose story is kept. */
const MOST_STORIES = 5;

export type Played = { number: number; failures: Failure[]; story: string[]; world: World };

type Counts = Map<string, number>;

export type Totals = {
  /** Responses, instances, steps, crashes, looks, webhooks, writes. */
  counts: Counts;
  faults: Counts;
  verdicts: Counts;
  /** How many responses broke each invariant. */
  failures: Counts;
  /** The first of them, by number. */
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
 * Plays some responses of a seed.
 * @param seed The run's seed.
 * @param responses How many.
 * @param first The first one's number; the others follow it.
 */
export async function simulate(seed: number, responses: number, first = 0): Promise<Totals> {
  const totals = nothing();
  for (let from = first; from < first + responses; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, first + responses - from);
    const batch = Array.from({ length }, (_, index) => played(seed, from + index, false));
    for (const one of await Promise.all(batch)) add(totals, one);
  }
  return totals;
}

/** What slices of a seed's responses, in their order, come to together. */
export function sum(slices: readonly Totals[]): Totals {
  const totals = nothing();
  for (const slice of slices) {
    totals.counts = merged(totals.counts, slice.counts);
    totals.faults = merged(totals.faults, slice.faults);
    totals.verdicts = merged(totals.verdicts, slice.verdicts);
    totals.failures = merged(totals.failures, slice.failures);
    totals.failed = [...totals.failed, ...slice.failed].slice(0, MOST_STORIES);
  }
  return totals;
}

function nothing(): Totals {
  return {
    counts: new Map(),
    faults: new Map(),
    verdicts: new Map(),
    failures: new Map(),
    failed: [],
  };
}

function merged(one: Counts, other: Counts): Counts {
  const both = new Map(one);
  for (const [key, count] of other) more(both, key, count);
  return both;
}

async function played(seed: number, number: number, tells: boolean): Promise<Played> {
  const world = new World(seed, number, tells);
  await world.play();
  return { number, failures: check(world), story: world.story, world };
}

function add(totals: Totals, { number, failures, world }: Played): void {
  for (const [what, count] of countsOf(world)) more(totals.counts, what, count);
  for (const [kind, count] of world.counts) more(totals.faults, kind, count);
  more(totals.verdicts, verdictOf(world), 1);
  for (const invariant of new Set(failures.map((failure) => failure.invariant)))
    more(totals.failures, invariant, 1);
  if (failures.length > 0 && totals.failed.length < MOST_STORIES) totals.failed.push(number);
}

function countsOf({ instances, crashes, looks, scenario, kv }: World): [string, number][] {
  return [
    ["responses", 1],
    ["runs", instances.length],
    ["steps", instances.reduce((steps, one) => steps + one.begun.size, 0)],
    ["crashes", crashes],
    ["looks", looks.length],
    ["webhooks", scenario.arrivals.filter(({ what }) => what === "webhook").length],
    ["KV writes", kv.writes],
  ];
}

function verdictOf({ deleted, kv }: World): string {
  return deleted ? "deleted" : (kv.record()?.known.verdict ?? "not recorded");
}

function more(counts: Counts, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
