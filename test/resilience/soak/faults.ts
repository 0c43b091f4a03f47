// The faults of OpenAI for one response, as rules for the emulator.
import type { FaultRule } from "../../support/emulator-client.ts";
import type { Random } from "../simulation/random.ts";

const RETRIEVE = { method: "GET", path: "^/v1/responses/[^/]+$" };
const CREATE = { method: "POST", path: "^/v1/responses$" };

/** A response object that says it still runs. */
const UNFINISHED = { status: "in_progress", output: [], completed_at: null };

/** Faults of a refetch. */
const REFETCH_FAULTS: ((random: Random) => FaultRule)[] = [
  (random) => ({
    kind: "status",
    status: 429,
    headers: { "retry-after": String(random.whole(1, 3)) },
  }),
  () => ({ kind: "status", status: 429 }),
  () => ({ kind: "status", status: 500 }),
  () => ({ kind: "status", status: 503 }),
  (random) => ({ kind: "hang", seconds: random.whole(1, 4) }),
  () => ({ kind: "cut" }),
  () => ({ kind: "truncate" }),
  () => ({ kind: "html" }),
  (random) => ({ kind: "delay", seconds: random.between(0.1, 2) }),
  () => ({ kind: "replace", patch: UNFINISHED }),
];

/** Faults of a create. With `carry_out` the response runs although its id is lost. */
const CREATE_FAULTS: ((random: Random) => FaultRule)[] = [
  () => ({ kind: "status", status: 429, headers: { "retry-after": "1" } }),
  () => ({ kind: "status", status: 500 }),
  () => ({ kind: "status", status: 503 }),
  () => ({ kind: "status", status: 500, carry_out: true }),
  () => ({ kind: "cut" }),
  () => ({ kind: "cut", carry_out: true }),
  () => ({ kind: "hang", seconds: 3, carry_out: true }),
  () => ({ kind: "html", carry_out: true }),
  () => ({ kind: "truncate" }),
];

/**
 * Draws the faults of a response.
 * @param of `fleeting`: OpenAI deletes it soon, so its refetches have no faults. `held`: its connection is held.
 */
export function drawFaults(
  random: Random,
  of: { number: number; fleeting: boolean; held: boolean },
): FaultRule[] {
  const metadata = { soak: String(of.number) };
  const creates = random.chance(0.08) ? [{ ...CREATE, ...pickRule(random, CREATE_FAULTS) }] : [];
  const refetches = of.fleeting ? [] : drawRefetchFaults(random);
  const breaks = of.held && random.chance(0.25) ? [drawBreak(random)] : [];
  return [...creates, ...breaks, ...refetches].map((rule) => ({ ...rule, metadata }));
}

// A held run has about twenty events.
function drawBreak(random: Random): FaultRule {
  return { ...CREATE, kind: "cut", after_events: random.whole(1, 20) };
}

function drawRefetchFaults(random: Random): FaultRule[] {
  if (random.chance(0.06))
    return [{ ...RETRIEVE, kind: "replace", patch: UNFINISHED, after: 1, times: 2 }];
  if (!random.chance(0.45)) return [];
  const count = random.whole(1, 3);
  return Array.from({ length: count }, () => ({
    ...RETRIEVE,
    ...pickRule(random, REFETCH_FAULTS),
  }));
}

function pickRule(random: Random, rules: ((random: Random) => FaultRule)[]): FaultRule {
  const rule = rules[random.whole(0, rules.length - 1)];
  return rule === undefined ? {} : rule(random);
}
