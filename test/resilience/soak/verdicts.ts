// The verdict that a record must have, worked out from what the emulator did and apart from the program that is tested.
import type { ResponseRecord } from "../../../src/record/schema.ts";
import { isTerminal, listExecutedCalls } from "./facts.ts";
import { toCutCall, type Plan } from "./schedule.ts";
import type { ActualRun, LoggedRequest } from "../../support/emulator-client.ts";

type Observation = ResponseRecord["observations"][number];

/** What the expected verdicts of a run are worked out from. */
export type RunFacts = {
  plan: Plan;
  run: ActualRun;
  /** The control that the record names. */
  control: ActualRun | null;
  record: ResponseRecord;
  /** The requests that reached the API, by their id. */
  requests: ReadonlyMap<string, LoggedRequest>;
};

type Requests = RunFacts["requests"];

const WORST_FIRST = ["lost", "suspect", "unfinished", "recovered", "captured", "silent"] as const;
type Verdict = (typeof WORST_FIRST)[number];

/** Adds the calls that a Connection, or a refetch in flight, brought before the run was cancelled: the response does not show them. */
export function withStreamedCalls(
  run: ActualRun,
  { observations }: ResponseRecord,
  requests: Requests,
): ActualRun {
  const isBrought = (id: string) =>
    observations.some(
      (seen) =>
        (isFromConnection(seen, requests) && seen.calls.some((call) => call.id === id)) ||
        (seen.channel === "refetch" && isPopulated(seen, id)),
    );
  return { ...run, calls: [...run.calls, ...run.unshown.filter(({ id }) => isBrought(id))] };
}

// A replay, which is another request, only fills in what a record lacks.
function isFromConnection({ channel, request_id }: Observation, requests: Requests): boolean {
  if (channel === "held") return true;
  return channel === "stream" && requests.get(request_id ?? "")?.method === "POST";
}

/** Returns what is wrong with the verdicts or the observations of a record. */
export function findWrongVerdicts(given: RunFacts): string[] {
  const { record, run } = given;
  const calls = run.calls.map((_, index) => expectedCallVerdict(given, index));
  const runVerdict = WORST_FIRST.find((verdict) => calls.includes(verdict)) ?? "no_calls";
  return [
    ...(record.status === run.status ? [] : [`it is ${run.status}, not ${record.status}`]),
    ...(record.verdict === runVerdict
      ? []
      : [`its verdict is ${runVerdict}, not ${record.verdict}`]),
    ...calls.flatMap((verdict, index) => {
      const recorded = record.calls[index]?.verdict;
      return recorded === verdict
        ? []
        : [`call ${index + 1} is ${verdict}, not ${String(recorded)}`];
    }),
    ...record.observations.flatMap((seen) => findWrongObservations(given, seen)),
    ...findMissingOutputs(given),
  ];
}

// OpenAI's stream has all outputs: a followed run ends whole, unless OpenAI spoiled a replay.
function findMissingOutputs({ plan, run, record, requests }: RunFacts): string[] {
  if (plan.kind !== "followed" || plan.keptSeconds !== null) return [];
  const isSpoiled = [...requests.values()].some(
    ({ path, query, fault }) =>
      path.endsWith(run.id) && query["stream"] !== undefined && fault !== null,
  );
  if (isSpoiled) return [];
  return run.calls.flatMap((call, index) => {
    if (!hasPrinted(run, index) || record.calls[index]?.source !== null) return [];
    return [`it is followed, and the outputs of ${call.id} are missing`];
  });
}

function expectedCallVerdict({ plan, run, control, record }: RunFacts, index: number): Verdict {
  const id = run.calls[index]?.id ?? "";
  const first = record.observations.findIndex(isEnd);
  // What a refetch in flight had is kept, and judged by the first observation after the end.
  const early = record.observations.find((seen) => hasAny(seen, id));
  if (early?.channel === "refetch" && !isEnd(early)) {
    const end = record.observations[first];
    const isWhole = end !== undefined && end.channel !== "stream" && isPopulated(end, id);
    return isWhole ? "captured" : "recovered";
  }
  const had = record.observations.findIndex((seen) => hasOutputs(seen, id));
  // What a stream had is recovered: those who ask for a background run do not get it.
  const isPlain = record.observations[had]?.channel !== "stream";
  // A refetch can see the end before the held connection is read; the reading still counts as the first observation.
  const isReading = had === record.observations.findIndex(({ channel }) => channel === "held");
  const isFirst = had === first || (isReading && isEnd(record.observations[had]));
  if (had !== -1) return isFirst && isPlain ? "captured" : "recovered";
  if (id === toCutCall(plan).id) return "unfinished";
  if (plan.codes[index]?.shows !== true) return "silent";
  // Two responses that were not cut off.
  const isComparable = run.status === "completed" && record.control?.status === "completed";
  const compared = control === null ? undefined : listExecutedCalls(control)[index];
  const isBrought = compared !== undefined && record.control?.calls[index]?.id === compared.id;
  return isComparable && isBrought && (compared.outputs ?? []).length > 0 ? "lost" : "suspect";
}

// A refetch before the end can show the calls that are done. It is not the observation that captures them.
function hasOutputs(seen: Observation, call: string): boolean {
  if (seen.channel === "control") return false;
  if (seen.channel === "refetch" && !isEnd(seen)) return false;
  return isPopulated(seen, call);
}

function hasAny(seen: Observation, call: string): boolean {
  return seen.channel !== "control" && isPopulated(seen, call);
}

function isPopulated({ calls }: Observation, call: string): boolean {
  return calls.some(({ id, outputs }) => id === call && outputs === "populated");
}

function isEnd(seen: Observation | undefined): boolean {
  return seen !== undefined && seen.channel !== "control" && isTerminal(seen.status);
}

function hasPrinted(run: ActualRun, index: number): boolean {
  return (run.calls[index]?.outputs ?? []).length > 0;
}

// Each observation must be the answer to a request that reached the API.
function findWrongObservations(given: RunFacts, seen: Observation): string[] {
  if (seen.request_id === null) return [];
  const request = given.requests.get(seen.request_id);
  if (request === undefined) return [`no request ${seen.request_id} reached the API at ${seen.at}`];
  if (request.status !== seen.http_status) {
    return [`${seen.request_id} was answered ${request.status}, not ${String(seen.http_status)}`];
  }
  // What a fault took away is not there.
  if (!isEnd(seen) || request.fault === "replace") return [];
  return given.run.calls.flatMap((call, index) => {
    const expected = expectsOutputs(given, request, seen, index);
    const actual = hasOutputs(seen, call.id);
    return expected === null || expected === actual
      ? []
      : [`at ${seen.at} the outputs of call ${index + 1} were ${expected ? "" : "not "}there`];
  });
}

// Null when they appeared between the request and its answer.
function expectsOutputs(
  { plan, run }: RunFacts,
  request: LoggedRequest,
  seen: Observation,
  index: number,
): boolean | null {
  if (!hasPrinted(run, index)) return false;
  if (run.unshown.some(({ id }) => id === run.calls[index]?.id)) return false;
  // In the foreground OpenAI always has them.
  if (plan.kind === "held" || plan.outputs === "present") return true;
  // So does the stream.
  if (seen.channel === "stream") return true;
  if (plan.outputs === "empty") return false;
  const moment = Date.parse(run.ended_at ?? "") + plan.outputs * 1000;
  if (moment <= Date.parse(request.at)) return true;
  return moment > Date.parse(seen.at) ? false : null;
}
