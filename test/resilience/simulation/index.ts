// Simulates many responses, and counts what happened to them.
import { INVARIANTS, type Failure } from "./invariants.ts";
import { SimulatedRun, type Broken } from "./simulated-run.ts";

/** Failed responses whose numbers are kept. */
const MAX_FAILED = 5;

export type SimulatedResult = { number: number; failures: Failure[]; logLines: string[] };

type Counts = Map<string, number>;

export type Totals = {
  /** Responses, runs, effects, evictions, observations, writes. */
  counts: Counts;
  faults: Counts;
  verdicts: Counts;
  /** How many responses broke each invariant, and how many lost something, did it twice, or were wrong. */
  failures: Counts;
  harms: Counts;
  /** The first of them, by number. */
  failed: number[];
};

/**
 * Simulates one response, and keeps its log.
 * @param number Which of the seed's responses.
 * @param broken Broken versions of the program's decisions.
 */
export function simulateOne(seed: number, number: number, broken?: Broken): SimulatedResult {
  const { failures, logLines } = runOne(seed, number, true, broken);
  return { number, failures, logLines };
}

/**
 * Simulates some responses of a seed.
 * @param responses How many.
 * @param first The number of the first.
 * @param broken Broken versions of the program's decisions.
 */
export function simulate(seed: number, responses: number, first = 0, broken?: Broken): Totals {
  const totals = createTotals();
  for (let number = first; number < first + responses; number += 1) {
    add(totals, number, runOne(seed, number, false, broken));
  }
  return totals;
}

/** Adds up the totals of slices, which are in the order of their responses. */
export function sumTotals(slices: readonly Totals[]): Totals {
  const totals = createTotals();
  for (const slice of slices) {
    for (const name of ["counts", "faults", "verdicts", "failures", "harms"] as const) {
      for (const [key, count] of slice[name]) addCount(totals[name], key, count);
    }
    totals.failed = [...totals.failed, ...slice.failed].slice(0, MAX_FAILED);
  }
  return totals;
}

function createTotals(): Totals {
  return {
    counts: new Map(),
    faults: new Map(),
    verdicts: new Map(),
    failures: new Map(),
    harms: new Map(),
    failed: [],
  };
}

function runOne(seed: number, number: number, keepsLog: boolean, broken?: Broken): SimulatedRun {
  const run = new SimulatedRun(seed, number, keepsLog, broken);
  run.run();
  return run;
}

function add(totals: Totals, number: number, run: SimulatedRun): void {
  for (const [what, count] of countEvents(run)) addCount(totals.counts, what, count);
  for (const [kind, count] of run.faults) addCount(totals.faults, kind, count);
  for (const verdict of run.verdicts) addCount(totals.verdicts, verdict, 1);
  const invariants = new Set(run.failures.map(({ invariant }) => invariant));
  for (const invariant of invariants) addCount(totals.failures, invariant, 1);
  const harms = new Set([...invariants].map((invariant) => INVARIANTS[invariant]));
  for (const harm of harms) addCount(totals.harms, harm, 1);
  if (invariants.size > 0 && totals.failed.length < MAX_FAILED) totals.failed.push(number);
}

function countEvents({
  connections,
  counts,
  object,
  kv,
  catalog,
  scenario,
}: SimulatedRun): [string, number][] {
  const webhooks = scenario.arrivals.filter(({ what }) => what === "webhook");
  const writes = [...kv.writes.values()].reduce((sum, count) => sum + count, 0);
  return [
    ["responses", 1],
    ["runs", counts.runs],
    ["effects", counts.effects],
    ["observations", counts.observations],
    ["status checks", counts.statusChecks],
    ["evictions", counts.evictions],
    ["Connections", connections.all.filter(({ truth }) => truth.openedAt !== null).length],
    ["events", connections.all.reduce((sum, { truth }) => sum + truth.stored.length, 0)],
    ["evicted Connections", counts.connectionEvictions],
    ["alarms", object.costs.alarms],
    ["pokes", catalog.pokes],
    ["webhooks", webhooks.length],
    ["KV writes", writes],
    ["rows", object.costs.rows],
  ];
}

function addCount(counts: Counts, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
