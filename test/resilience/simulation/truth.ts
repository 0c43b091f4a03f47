// What the script showed to the Recorder, and the verdicts that follow. Nothing here asks the program.
import type { CallVerdict, Channel, RunVerdict } from "../../../src/record/schema.ts";
import { toSeconds } from "./clock.ts";
import type { Call } from "./scenario.ts";

/** For so long a response that was seen must have been a 404 to be gone; after the longer time it is. */
const MIN_GONE_SECONDS = 119;
const MAX_GONE_SECONDS = 600;

const END_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);
const WORST_FIRST = ["lost", "suspect", "unfinished", "recovered", "captured", "silent"] as const;

/** An answer of the script's that the Recorder took. */
export type Shown = {
  at: string;
  channel: Channel;
  http: number | null;
  status: string | null;
  /** The calls that it showed, those of them that had not ended, and those whose outputs it had. */
  calls: Set<string>;
  running: Set<string>;
  had: Set<string>;
  /** Whether it was a whole response object, and whether that lacked all its items. */
  whole: boolean;
  lacksItems: boolean;
  /** Whether the run's Connection had it, and at which event that broke. */
  fromConnection: boolean;
  brokeAt: string | null;
  /** Three bodies in a row that the Recorder did not survive. */
  tooLarge: boolean;
};

/** What a record must say of the control. */
export type ControlTruth = {
  status: string;
  /** Its calls, and whether they had outputs. */
  calls: { id: string; code: string | null; had: boolean }[];
};

/** What the script did to one run, from its first call until it expired or was deleted. */
export type RunTruth = {
  startedAt: number;
  beganBy: string;
  shown: Shown[];
  /** Whether a create's answer, or the hand-over of a connection, told that the response exists. */
  isKnown: boolean;
  /** Calls other than webhooks: by a trigger, a connection, or by hand. */
  isWanted: boolean;
  /** Whether the start announced a control, and what was read of it; null when nothing was. */
  hasControl: boolean;
  control: ControlTruth | null;
  /** How often the receiver at NOTIFY_URL had the run's end, and whether the Recorder knows it. */
  deliveries: number;
  isNotified: boolean;
  refetches: number;
  webhooks: number;
  starts: number;
};

export function createTruth(startedAt: number, beganBy: string): RunTruth {
  return {
    startedAt,
    beganBy,
    shown: [],
    isKnown: false,
    isWanted: false,
    hasControl: false,
    control: null,
    deliveries: 0,
    isNotified: false,
    refetches: 0,
    webhooks: 0,
    starts: 0,
  };
}

/** Whether a status is an end. */
export function isEnd(status: string | null): boolean {
  return status !== null && END_STATUSES.has(status);
}

/** Whether an answer was a whole response that has ended. */
export function isPlainEnd({ whole, status }: Shown): boolean {
  return whole && isEnd(status);
}

/** The verdict and the source that a call must have. */
export function expectedCall(
  truth: RunTruth,
  calls: Call[],
  index: number,
): { verdict: CallVerdict; source: Channel | null } {
  const { shown } = truth;
  const call = calls[index];
  const first = shown.findIndex(isPlainEnd);
  const had = shown.findIndex((one, at) => {
    return call !== undefined && one.had.has(call.id) && counts(shown, at, call.id);
  });
  const source = shown[had]?.channel ?? null;
  if (had !== -1) {
    const isPlain = source === "refetch" || source === "held";
    const isFirst = isPlain && (had === first || isFirstReading(shown, had));
    return { verdict: isFirst ? "captured" : "recovered", source };
  }
  if (call !== undefined && !hasFinished(truth, call)) return { verdict: "unfinished", source };
  if (call?.shows !== true) return { verdict: "silent", source };
  return { verdict: isProven(truth, calls, index) ? "lost" : "suspect", source };
}

function hasFinished({ shown }: RunTruth, { id }: Call): boolean {
  return shown.some((one, at) => {
    return one.calls.has(id) && !one.running.has(id) && counts(shown, at, id);
  });
}

// A conversation has items of other responses too, and a replay adds nothing to the response: they only fill in outputs.
function listsCalls(one: Shown): boolean {
  return isPlainEnd(one) || one.fromConnection;
}

// Whether what an answer says of a call counts: what comes before the end does not, unless a connection brings it.
function counts(shown: Shown[], index: number, id: string): boolean {
  const one = shown[index];
  if (one === undefined || listsCalls(one)) return one !== undefined;
  const isKnown = shown.slice(0, index).some((other) => listsCalls(other) && other.calls.has(id));
  return one.channel !== "refetch" && isKnown;
}

/** Whether an answer to a completed response lacked something of it, as far as those before it tell. */
export function isLacking({ shown }: RunTruth, index: number): boolean {
  const one = shown[index];
  if (one === undefined || !isPlainEnd(one) || one.status !== "completed") return false;
  const before = shown.slice(0, index).filter(({ channel }) => channel !== "conversation");
  const known = before.flatMap(({ calls }) => [...calls]);
  return one.lacksItems || one.running.size > 0 || known.some((id) => !one.calls.has(id));
}

// A held run's whole response is its first observation, even when a refetch saw the end before it was read.
function isFirstReading(shown: Shown[], index: number): boolean {
  const isHeld = shown[index]?.channel === "held" && shown[index].whole;
  return isHeld && shown.findIndex(({ channel }) => channel === "held") === index;
}

/** The verdict that a settled run must have whose end was shown; null where none was. */
export function expectedVerdict(truth: RunTruth, calls: Call[]): RunVerdict | null {
  const { shown } = truth;
  if (shown.some(isPlainEnd)) {
    const lists = shown.filter(listsCalls);
    const seen = new Set(lists.flatMap((one) => [...one.calls]));
    const verdicts = calls.flatMap(({ id }, index) =>
      seen.has(id) ? [expectedCall(truth, calls, index).verdict] : [],
    );
    return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? "no_calls";
  }
  return null;
}

/**
 * The verdicts that a settled run may have whose end was not shown.
 * @param isMissing Whether OpenAI has the response no more, by the script.
 */
export function verdictsWithoutEnd({ shown, isKnown }: RunTruth, isMissing: boolean): RunVerdict[] {
  const wasSeen = isKnown || shown.some(({ http }) => http === 200);
  if (!wasSeen) return [shown.at(-1)?.http === 404 ? "not_found" : "abandoned"];
  const lasted = absentSeconds(shown);
  if (!isMissing || lasted < MIN_GONE_SECONDS) return ["abandoned"];
  // Between the two it depends on webhooks and on connections; and a body that killed the object three times gives a run up at once, as an answer does after a day that says nothing of the response.
  const isLast = shown.at(-1)?.http === 404;
  const isSure = isLast && lasted >= MAX_GONE_SECONDS && !shown.some(({ tooLarge }) => tooLarge);
  return isSure ? ["gone"] : ["gone", "abandoned"];
}

/** Whether the response was a 404 since it was shown. */
export function isAbsent(shown: Shown[]): boolean {
  return listMissing(shown).length > 0;
}

function listMissing(shown: Shown[]): Shown[] {
  const seen = shown.findLastIndex(
    ({ status, fromConnection }) => status !== null || fromConnection,
  );
  return shown.slice(seen + 1).filter(({ http }) => http === 404);
}

// From the first to the last 404 since the response was shown.
function absentSeconds(shown: Shown[]): number {
  const missing = listMissing(shown);
  const [first, last] = [missing[0], missing.at(-1)];
  return first === undefined || last === undefined ? 0 : toSeconds(last.at) - toSeconds(first.at);
}

// Both responses must have ended without being cut off.
function isProven({ shown, control }: RunTruth, calls: Call[], index: number): boolean {
  if (control?.status !== "completed" || shown.find(isPlainEnd)?.status !== "completed") {
    return false;
  }
  const isIdentical = calls.slice(0, index + 1).every(({ code, finishes }, at) => {
    return finishes && code !== null && control.calls[at]?.code === code;
  });
  return isIdentical && control.calls[index]?.had === true;
}
