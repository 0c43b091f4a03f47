// Simulates many responses, and counts what happened to them.
import { check, type Failure } from "./check.ts";
import { SimulatedResponse } from "./simulated-response.ts";

/** Responses that run at the same time, each in its own virtual time. */
const MAX_CONCURRENT = 200;
/** Failed responses whose numbers are kept. */
const MAX_FAILED = 5;

export type SimulatedResult = {
  number: number;
  failures: Failure[];
  logLines: string[];
  response: SimulatedResponse;
};

type Counts = Map<string, number>;

export type Totals = {
  /** Responses, runs, steps, crashes, observations, webhooks, writes. */
  counts: Counts;
  faults: Counts;
  verdicts: Counts;
  /** How many responses broke each invariant. */
  failures: Counts;
  /** The first of them, by number. */
  failed: number[];
};

/**
 * Simulates one response, and keeps its log.
 * @param number Which of the seed's responses.
 */
export async function simulateOne(seed: number, number: number): Promise<SimulatedResult> {
  return runOne(seed, number, true);
}

/**
 * Simulates some responses of a seed.
 * @param responses How many.
 * @param first The number of the first.
 */
export async function simulate(seed: number, responses: number, first = 0): Promise<Totals> {
  const totals = createTotals();
  for (let from = first; from < first + responses; from += MAX_CONCURRENT) {
    const length = Math.min(MAX_CONCURRENT, first + responses - from);
    const batch = Array.from({ length }, (_, index) => runOne(seed, from + index, false));
    for (const one of await Promise.all(batch)) add(totals, one);
  }
  return totals;
}

/** Adds up the totals of slices, which are in the order of their responses. */
export function sumTotals(slices: readonly Totals[]): Totals {
  const totals = createTotals();
  for (const slice of slices) {
    totals.counts = mergeCounts(totals.counts, slice.counts);
    totals.faults = mergeCounts(totals.faults, slice.faults);
    totals.verdicts = mergeCounts(totals.verdicts, slice.verdicts);
    totals.failures = mergeCounts(totals.failures, slice.failures);
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
    failed: [],
  };
}

function mergeCounts(one: Counts, other: Counts): Counts {
  const both = new Map(one);
  for (const [key, count] of other) addCount(both, key, count);
  return both;
}

async function runOne(seed: number, number: number, keepsLog: boolean): Promise<SimulatedResult> {
  const response = new SimulatedResponse(seed, number, keepsLog);
  await response.run();
  return { number, failures: check(response), logLines: response.logLines, response };
}

function add(totals: Totals, { number, failures, response }: SimulatedResult): void {
  for (const [what, count] of countEvents(response)) addCount(totals.counts, what, count);
  for (const [kind, count] of response.counts) addCount(totals.faults, kind, count);
  addCount(totals.verdicts, getVerdict(response), 1);
  for (const invariant of new Set(failures.map((failure) => failure.invariant)))
    addCount(totals.failures, invariant, 1);
  if (failures.length > 0 && totals.failed.length < MAX_FAILED) totals.failed.push(number);
}

function countEvents({
  instances,
  crashes,
  observations,
  scenario,
  kv,
}: SimulatedResponse): [string, number][] {
  return [
    ["responses", 1],
    ["runs", instances.length],
    ["steps", instances.reduce((steps, one) => steps + one.begun.size, 0)],
    ["crashes", crashes],
    ["observations", observations.length],
    ["webhooks", scenario.arrivals.filter(({ what }) => what === "webhook").length],
    ["KV writes", kv.writes],
  ];
}

function getVerdict({ deleted, kv }: SimulatedResponse): string {
  return deleted ? "deleted" : (kv.record()?.known.verdict ?? "not recorded");
}

function addCount(counts: Counts, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
