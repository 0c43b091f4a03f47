// What OpenAI does wrong for one response, as rules for the emulator.
import type { Random } from "../simulation/random.ts";

/** A rule for the emulator's `/_emulator/faults`. */
export type Rule = Record<string, unknown>;

const RETRIEVE = { method: "GET", path: "^/v1/responses/[^/]+$" };
const CREATE = { method: "POST", path: "^/v1/responses$" };

/** A response object that says it still runs. */
const UNFINISHED = { status: "in_progress", output: [], completed_at: null };

/** What goes wrong with a look. */
const LOOKS: ((random: Random) => Rule)[] = [
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

/** What goes wrong with a create. Where it is carried out, the response runs and nobody knows its id. */
const CREATES: ((random: Random) => Rule)[] = [
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
 * @param random The response's numbers.
 * @param of Its number, whether OpenAI forgets it soon (then its looks are left alone), and whether its connection is held.
 */
export function drawFaults(
  random: Random,
  of: { number: number; fleeting: boolean; held: boolean },
): Rule[] {
  const metadata = { soak: String(of.number) };
  const creates = random.chance(0.08) ? [{ ...CREATE, ...one(random, CREATES) }] : [];
  const looks = of.fleeting ? [] : drawLooks(random);
  const breaks = of.held && random.chance(0.25) ? [breakOf(random)] : [];
  return [...creates, ...breaks, ...looks].map((rule) => ({ ...rule, metadata }));
}

// A held run has about twenty events.
function breakOf(random: Random): Rule {
  return { ...CREATE, kind: "cut", after_events: random.whole(1, 20) };
}

function drawLooks(random: Random): Rule[] {
  if (random.chance(0.06))
    return [{ ...RETRIEVE, kind: "replace", patch: UNFINISHED, after: 1, times: 2 }];
  if (!random.chance(0.45)) return [];
  const many = random.whole(1, 3);
  return Array.from({ length: many }, () => ({ ...RETRIEVE, ...one(random, LOOKS) }));
}

function one(random: Random, rules: ((random: Random) => Rule)[]): Rule {
  const rule = rules[random.whole(0, rules.length - 1)];
  return rule === undefined ? {} : rule(random);
}
