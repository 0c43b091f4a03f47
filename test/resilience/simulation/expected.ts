// The expected verdicts, worked out from the script and apart from the program that is tested.
import type { CallVerdict, Channel, StoredRecord, RunVerdict } from "../../../src/record/schema.ts";
import { toSeconds } from "./clock.ts";
import type { Scenario } from "./scenario.ts";

type Observation = StoredRecord["observations"][number];

const END_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);
const WORST_FIRST = ["lost", "suspect", "recovered", "captured", "silent"] as const;
const DAY_SECONDS = 24 * 60 * 60;
const MAX_OBSERVATIONS = 420;

/** Whether a status is an end. */
export function isEnd(status: string | null): boolean {
  return status !== null && END_STATUSES.has(status);
}

/**
 * Whether an observation had the outputs of a call, by the script.
 * @param index Which call.
 */
export function hadOutputs(scenario: Scenario, seen: Observation, index: number): boolean {
  const call = scenario.calls[index];
  if (call?.printed !== true || seen.http_status !== 200) return false;
  if (seen.channel === "held")
    return scenario.held?.brings !== "nowhere" && seen.calls.some(({ id }) => id === call.id);
  if (seen.channel === "stream") return scenario.streamHas;
  if (seen.channel === "conversation") return scenario.conversationHas;
  const { end, emptied, outputsAfter } = scenario;
  if (emptied || end === null || outputsAfter === null || !isEnd(seen.status)) return false;
  return seen.channel === "refetch" && toSeconds(seen.at) >= end + outputsAfter;
}

/**
 * The verdict and the source that a call must have.
 * @param record Gives the times of the observations, and whether the control ran.
 * @param index Which call.
 */
export function expectedCallVerdict(
  scenario: Scenario,
  record: StoredRecord,
  index: number,
): { verdict: CallVerdict; source: Channel | null } {
  const first = record.observations.findIndex(isPlainEnd);
  const had = record.observations.findIndex((seen) => hadOutputs(scenario, seen, index));
  const source = record.observations[had]?.channel ?? null;
  if (had !== -1) return { verdict: had === first ? "captured" : "recovered", source };
  const call = scenario.calls[index];
  if (call?.shows !== true) return { verdict: "silent", source };
  return { verdict: isProven(scenario, record, index) ? "lost" : "suspect", source };
}

/** The verdict that a settled record must have. */
export function expectedVerdict(
  scenario: Scenario,
  record: StoredRecord,
): RunVerdict | "no reason to end" {
  if (record.observations.some(isPlainEnd)) {
    const seen = new Set(record.observations.flatMap(({ calls }) => calls.map(({ id }) => id)));
    const verdicts = scenario.calls.flatMap(({ id }, index) =>
      seen.has(id) ? [expectedCallVerdict(scenario, record, index).verdict] : [],
    );
    return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? "no_calls";
  }
  return expectedUnendedVerdict(record);
}

function expectedUnendedVerdict({
  observations,
  started_at,
  status,
}: StoredRecord): RunVerdict | "no reason to end" {
  const answered = observations.filter((seen) => seen.channel !== "control");
  const times = answered.map((seen) => toSeconds(seen.at));
  const last = Math.max(...times);
  const missing = status === null && answered.every((seen) => seen.http_status === 404);
  if (missing && last - Math.min(...times) >= 60) return "not_found";
  const long = last - toSeconds(started_at) >= DAY_SECONDS || answered.length >= MAX_OBSERVATIONS;
  return long ? "abandoned" : "no reason to end";
}

/** Whether a refetch or a held connection saw the end. */
export function isPlainEnd(seen: Observation): boolean {
  return (seen.channel === "refetch" || seen.channel === "held") && isEnd(seen.status);
}

function isProven({ control, calls }: Scenario, record: StoredRecord, index: number): boolean {
  const call = calls[index];
  if (control === null || record.control?.status !== "completed") return false;
  const compared = control.ends === "fewer calls" ? calls.length - 1 : calls.length;
  const same = control.ends === "same code" || control.ends === "fewer calls";
  return same && index < compared && call?.printed === true && call.code !== null;
}
