// What the evidence says. Pure.
import type { CallVerdict, Channel, RunVerdict, StoredCall, StoredRecord } from "./schema.ts";

/** From the worst to the best: a run has the verdict of its worst call. */
const WORST_FIRST: readonly CallVerdict[] = [
  "lost",
  "suspect",
  "unfinished",
  "recovered",
  "captured",
  "silent",
];

/** How far a call is, by its own status; one without a status may be at any point. */
const STATUS_RANKS: ReadonlyMap<string | null, number> = new Map([
  [null, 0],
  ["in_progress", 1],
  ["interpreting", 2],
  ["incomplete", 3],
  ["failed", 3],
  ["completed", 4],
]);
/** Statuses that no document names. */
const OTHER_RANK = 1;

/** Channels that show a run as those see it who ask for it. What another channel has was recovered. */
const PLAIN_CHANNELS: ReadonlySet<Channel> = new Set(["refetch", "held"]);

/**
 * The verdict of a call that has outputs.
 * @param source The channel that had them.
 * @param isFirst Whether that was the first observation after the response's end, and showed the whole response.
 */
export function outputsVerdict(source: Channel, isFirst: boolean): CallVerdict {
  return isFirst && PLAIN_CHANNELS.has(source) ? "captured" : "recovered";
}

/** Whether a call never finished, by its own status. Old responses have calls without one. */
export function isUnfinished({ status }: Pick<StoredCall, "status">): boolean {
  return status !== null && status !== "completed";
}

/** Whether a call's status says more than the one that is known. An answer can be older than the one before. */
export function isFurther(status: string | null, known: string | null): boolean {
  return rank(status) > rank(known);
}

function rank(status: string | null): number {
  return STATUS_RANKS.get(status) ?? OTHER_RANK;
}

/** Why a run is observed no more that was seen, and whose end was not; null for any other run. */
export function givenUpVerdict({
  verdict,
}: Pick<StoredRecord, "verdict">): "gone" | "abandoned" | null {
  return verdict === "gone" || verdict === "abandoned" ? verdict : null;
}

/**
 * The verdict of a run: its worst call's.
 * @param record Its calls, and the verdict so far.
 * @param hasEnded Whether an observation saw the response's end.
 */
export function runVerdict(
  record: { verdict: RunVerdict; calls: StoredCall[] },
  hasEnded: boolean,
): RunVerdict {
  if (!hasEnded) return record.verdict;
  const verdicts = new Set(record.calls.map((call) => call.verdict));
  return WORST_FIRST.find((verdict) => verdicts.has(verdict)) ?? "no_calls";
}
