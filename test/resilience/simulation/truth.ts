// What the script showed to the Recorder, and the verdicts that follow. Nothing here asks the program.
import type { CallVerdict, Channel, RunVerdict } from "../../../src/record/schema.ts";
import type { Call } from "./scenario.ts";

const END_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);
const WORST_FIRST = ["lost", "suspect", "recovered", "captured", "silent"] as const;

/** An answer of the script's that the Recorder took. */
export type Shown = {
  at: string;
  channel: Channel;
  http: number | null;
  status: string | null;
  /** The calls that it showed, and those of them whose outputs it had. */
  calls: Set<string>;
  had: Set<string>;
  /** Whether it was a whole response. */
  whole: boolean;
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
  const had = shown.findIndex((one) => call !== undefined && one.had.has(call.id));
  const source = shown[had]?.channel ?? null;
  if (had !== -1) {
    const isPlain = source === "refetch" || source === "held";
    const isFirst = isPlain && (had === first || isFirstReading(shown, had));
    return { verdict: isFirst ? "captured" : "recovered", source };
  }
  if (call?.shows !== true) return { verdict: "silent", source };
  return { verdict: isProven(truth, calls, index) ? "lost" : "suspect", source };
}

// A held run's whole response is its first observation, even when a refetch saw the end before it was read.
function isFirstReading(shown: Shown[], index: number): boolean {
  const isHeld = shown[index]?.channel === "held" && shown[index].whole;
  return isHeld && shown.findIndex(({ channel }) => channel === "held") === index;
}

/** The verdict that a settled run must have. */
export function expectedVerdict(truth: RunTruth, calls: Call[]): RunVerdict {
  const { shown } = truth;
  if (shown.some(isPlainEnd)) {
    // A conversation has items of other responses too, and a replay adds nothing to the response: they only fill in outputs.
    const lists = shown.filter(({ whole, fromConnection }) => whole || fromConnection);
    const seen = new Set(lists.flatMap((one) => [...one.calls]));
    const verdicts = calls.flatMap(({ id }, index) =>
      seen.has(id) ? [expectedCall(truth, calls, index).verdict] : [],
    );
    return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? "no_calls";
  }
  const wasSeen = truth.isKnown || shown.some(({ http }) => http !== 404);
  return wasSeen ? "abandoned" : "not_found";
}

// Both responses must have ended without being cut off.
function isProven({ shown, control }: RunTruth, calls: Call[], index: number): boolean {
  if (control?.status !== "completed" || shown.find(isPlainEnd)?.status !== "completed") {
    return false;
  }
  const isIdentical = calls.slice(0, index + 1).every(({ code }, at) => {
    return code !== null && control.calls[at]?.code === code;
  });
  return isIdentical && control.calls[index]?.had === true;
}
