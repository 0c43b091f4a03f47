// The verdict that a record must have, worked out from what the emulator did, apart from the program that is tested.
import type { ResponseRecord } from "../../../src/record/schema.ts";
import type { Plan } from "./schedule.ts";
import type { Asked, Truth } from "./emulator-api.ts";

type Observation = ResponseRecord["observations"][number];

/** All that the truth about one response is drawn from. */
export type Case = {
  plan: Plan;
  run: Truth;
  record: ResponseRecord;
  /** The requests that reached the API, by their ids. */
  requests: ReadonlyMap<string, Asked>;
};

const ENDS = new Set(["completed", "failed", "cancelled", "incomplete"]);
const WORST_FIRST = ["lost", "suspect", "recovered", "captured", "silent"] as const;
type Verdict = (typeof WORST_FIRST)[number];

/** A run with the calls that a held connection brought before the run was cancelled: its response shows none. */
export function withStreamed(run: Truth, { observations }: ResponseRecord): Truth {
  const held = observations.filter(({ channel }) => channel === "held");
  const streamed = new Set(held.flatMap(({ calls }) => calls.map(({ id }) => id)));
  return { ...run, calls: [...run.calls, ...run.unshown.filter(({ id }) => streamed.has(id))] };
}

/** What is wrong with a record's verdicts, or with what it claims to have seen. */
export function wrongVerdicts(given: Case): string[] {
  const { record, run } = given;
  const calls = run.calls.map((_, index) => callVerdict(given, index));
  const whole = WORST_FIRST.find((verdict) => calls.includes(verdict)) ?? "no_calls";
  return [
    ...(record.status === run.status ? [] : [`it is ${run.status}, not ${record.status}`]),
    ...(record.verdict === whole ? [] : [`its verdict is ${whole}, not ${record.verdict}`]),
    ...calls.flatMap((verdict, index) => {
      const said = record.calls[index]?.verdict;
      return said === verdict ? [] : [`call ${index + 1} is ${verdict}, not ${String(said)}`];
    }),
    ...record.observations.flatMap((seen) => wrongSight(given, seen)),
  ];
}

function callVerdict({ plan, run, record }: Case, index: number): Verdict {
  const id = run.calls[index]?.id ?? "";
  const first = record.observations.findIndex(isPlainEnd);
  const had = record.observations.findIndex((seen) => has(seen, id));
  if (had !== -1) return had === first ? "captured" : "recovered";
  if (plan.codes[index]?.shows !== true) return "silent";
  const compared = record.control?.status === "completed";
  return compared && printed(run, index) ? "lost" : "suspect";
}

function has(seen: Observation, call: string): boolean {
  if (seen.channel === "control") return false;
  return seen.calls.some(({ id, outputs }) => id === call && outputs === "populated");
}

function isPlainEnd({ channel, status }: Observation): boolean {
  return (channel === "refetch" || channel === "held") && status !== null && ENDS.has(status);
}

function printed(run: Truth, index: number): boolean {
  return (run.calls[index]?.outputs ?? []).length > 0;
}

// An observation is what the API has answered to a request that really reached it.
function wrongSight(given: Case, seen: Observation): string[] {
  if (seen.request_id === null) return [];
  const asked = given.requests.get(seen.request_id);
  if (asked === undefined) return [`nobody asked ${seen.request_id} at ${seen.at}`];
  if (asked.status !== seen.http_status) {
    return [`${seen.request_id} was answered ${asked.status}, not ${String(seen.http_status)}`];
  }
  if (!isPlainEnd(seen)) return [];
  return given.run.calls.flatMap((call, index) => {
    const should = visible(given, asked, seen, index);
    const did = has(seen, call.id);
    return should === null || should === did
      ? []
      : [`at ${seen.at} the outputs of call ${index + 1} were ${should ? "" : "not "}there`];
  });
}

// Null where they came between the request and its answer.
function visible(
  { plan, run }: Case,
  asked: Asked,
  seen: Observation,
  index: number,
): boolean | null {
  if (!printed(run, index)) return false;
  if (run.unshown.some(({ id }) => id === run.calls[index]?.id)) return false;
  // In the foreground OpenAI always has them.
  if (plan.kind === "held" || plan.outputs === "present") return true;
  if (plan.outputs === "empty") return false;
  const moment = Date.parse(run.ended_at ?? "") + plan.outputs * 1000;
  if (moment <= Date.parse(asked.at)) return true;
  return moment > Date.parse(seen.at) ? false : null;
}
