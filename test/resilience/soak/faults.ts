// The faults of OpenAI for one response, as rules for the emulator.
import type { FaultRule } from "../../support/emulator-client.ts";
import type { Random } from "../simulation/random.ts";
import type { Kind } from "./kind.ts";

const RETRIEVE = { method: "GET", path: "^/v1/responses/[^/]+$" };
const CREATE = { method: "POST", path: "^/v1/responses$" };
const REPLAY = { ...RETRIEVE, query: { stream: "true" } };
/** A stream has about twenty events, and ten more for a second call. */
const MAX_EVENTS = 24;

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

/** A completed response object that lacks its items. */
const LACKING = { output: [] };

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

/** Faults of a control's create, and of its stream. */
const CONTROL_FAULTS: ((random: Random) => FaultRule)[] = [
  drawCut,
  drawCut,
  () => ({ kind: "status", status: 500 }),
  () => ({ kind: "cut", carry_out: true }),
];

/** What the faults of a response depend on. */
type FaultSubject = {
  number: number;
  kind: Kind;
  /** Whether OpenAI deletes it soon: then its refetches have no faults. */
  fleeting: boolean;
  /** Whether OpenAI has it no more after its create. */
  vanishes: boolean;
  isCompleted: boolean;
  control: boolean;
  /** Whether no replay of its stream is let through. */
  isCutForGood: boolean;
};

/** Draws the faults of a response. */
export function drawFaults(random: Random, subject: FaultSubject): FaultRule[] {
  const creates = random.chance(0.08) ? [{ ...CREATE, ...pickRule(random, CREATE_FAULTS) }] : [];
  const refetches = subject.fleeting ? [] : drawRefetchFaults(random, subject);
  const streams = drawStreamFaults(random, subject);
  // The first create is the run's own.
  const controls =
    subject.control && creates.length === 0 && random.chance(0.3)
      ? [{ ...CREATE, ...pickRule(random, CONTROL_FAULTS), after: 1 }]
      : [];
  const metadata = { soak: String(subject.number) };
  return [...creates, ...controls, ...streams, ...refetches].map((rule) => ({ ...rule, metadata }));
}

function drawStreamFaults(random: Random, { kind, isCutForGood }: FaultSubject): FaultRule[] {
  if (kind !== "held" && kind !== "followed") return [];
  const first = { ...CREATE, ...drawCut(random) };
  if (isCutForGood) return [first, { ...REPLAY, kind: "cut", times: -1 }];
  if (!random.chance(0.3)) return [];
  const replays = kind === "held" ? 0 : random.whole(0, 2);
  return [first, ...Array.from({ length: replays }, () => ({ ...REPLAY, ...drawCut(random) }))];
}

function drawCut(random: Random): FaultRule {
  return { kind: "cut", after_events: random.whole(1, MAX_EVENTS) };
}

function drawRefetchFaults(random: Random, subject: FaultSubject): FaultRule[] {
  if (subject.vanishes) return [{ ...RETRIEVE, kind: "status", status: 404, times: -1 }];
  if (subject.isCompleted && random.chance(0.08)) {
    return [{ ...RETRIEVE, kind: "replace", patch: LACKING, times: random.whole(1, 2) }];
  }
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
