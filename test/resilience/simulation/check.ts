// The invariants of every response, whatever faults were injected.
import type { StoredRecord } from "../../../src/record/schema.ts";
import { toSeconds } from "./clock.ts";
import type { Instance } from "./engine.ts";
import { observesRarelyWhileHeld, recordsHeldResult } from "./held.ts";
import type { Stored } from "./kv.ts";
import { isHappyPath, isUndelayed, isUnwanted } from "./conditions.ts";
import { listObservations } from "./observations.ts";
import { expectedCallVerdict, isEnd, isPlainEnd, expectedVerdict } from "./expected.ts";
import type { SimulatedResponse } from "./simulated-response.ts";

const HOUR_SECONDS = 3600;
/** The limit of steps in a Workflow instance. */
const MAX_STEPS = 1024;
const MAX_OBSERVATIONS = 420;
const MAX_GAP_SECONDS = 300;
/** The last observation of a response that OpenAI keeps for ten minutes, counted from its end. */
const MAX_UNSTORED_OBSERVATION_SECONDS = 570;
/** The longest observation, with its delay, when the platform has no faults. */
const MAX_DELAY_SECONDS = 100;

type Rule = (response: SimulatedResponse, stored: Stored[]) => (string | false)[];

/** Each rule returns what breaks its invariant. */
const RULES: Record<string, Rule> = {
  "it always ends": endsInTime,
  "every observation is kept": keepsObservations,
  "a record never gets worse": neverGetsWorse,
  "verdicts match the script": hasExpectedVerdicts,
  "everything that a record lists can be read": isReadable,
  "observations, waits and writes stay within their limits": staysWithinBounds,
  "a response that OpenAI keeps for ten minutes is not observed later": observesInTime,
  "a record is settled when no observation is scheduled, and only then": isSettled,
  "a control runs once, and its result is recorded": controlsOnce,
  "nothing is left of a deleted or unwanted response": leavesNothing,
  "the list agrees with the record": listMatchesRecord,
  "a held run is requested once, and what its connection brought is recorded": recordsHeldResult,
  "observations are rare while a connection is held": observesRarelyWhileHeld,
};

/** The invariants' names. */
export const INVARIANTS: readonly string[] = Object.keys(RULES);

/** A control is abandoned after a day. */
const MAX_CONTROL_SECONDS = 24 * 60 * 60;

export type Failure = { invariant: string; why: string };

/** Checks a response that has run to its end. */
export function check(response: SimulatedResponse): Failure[] {
  return Object.entries(RULES).flatMap(([invariant, rule]) =>
    rule(response, response.kv.history)
      .filter((why) => why !== false)
      .map((why) => ({ invariant, why })),
  );
}

function endsInTime({ instances, instance, holder }: SimulatedResponse): (string | false)[] {
  return [...instances, ...(holder === null ? [] : [holder])].flatMap((one) => {
    const hours = ((one.ended ?? one.born) - one.born) / HOUR_SECONDS;
    const current = one === instance || one === holder;
    return [
      one.ended === null && current && "it never ended",
      one.failed !== null && `it failed: ${one.failed}`,
      one.begun.size > MAX_STEPS && `it took ${one.begun.size} steps`,
      hours > 25 && `it took ${hours.toFixed(1)} hours`,
    ];
  });
}

function keepsObservations(response: SimulatedResponse, stored: Stored[]): (string | false)[] {
  const last = stored.at(-1)?.known;
  if (response.deleted || isUnwanted(response)) return [];
  const recorded = response.instances.filter((one) => one.outcome?.recorded !== false);
  return recorded.flatMap(listObservations).flatMap((result) => {
    const { at, status } = result.observation;
    const had = (result.calls ?? []).flatMap((call, index) =>
      call.state === "populated" ? [{ ...call, index }] : [],
    );
    const ended = result.fields !== null && isEnd(status);
    if (last === undefined) return [ended && `the end seen at ${at} was never stored`];
    return [
      ended && !isEnd(last.status) && `the end seen at ${at} is not in the record`,
      ...had.map(({ id, index, code }) => {
        const call =
          last.calls.find((one) => one.id === id) ??
          (code === null ? undefined : last.calls[index]);
        return (
          call !== undefined &&
          call.state !== "populated" &&
          `the outputs of ${id} seen at ${at} are not in the record`
        );
      }),
    ];
  });
}

function neverGetsWorse(_: SimulatedResponse, stored: Stored[]): (string | false)[] {
  return stored.slice(1).flatMap(({ known: after }, index) => {
    const before = stored[index]?.known;
    if (before === undefined) return [];
    const was = `${before.verdict} (${before.status}) stored, then ${after.verdict} (${after.status})`;
    return [
      isEnd(before.status) && after.status !== before.status && `status: ${was}`,
      after.verdict === "pending" && `verdict: ${was}`,
      before.files.length > 0 && after.files.length === 0 && "files were forgotten",
      before.control !== null && after.control === null && "the control was forgotten",
      ...before.calls.map((call, at) => describeLoss(call, after.calls[at])),
    ];
  });
}

type Call = StoredRecord["calls"][number];

function describeLoss(before: Call, after: Call | undefined): string | false {
  if (after === undefined) return `${before.id} (${before.verdict}) is gone`;
  const has = before.state === "populated";
  if (
    has &&
    (after.state !== "populated" ||
      after.source !== before.source ||
      after.verdict !== before.verdict)
  )
    return `${before.id} was ${before.verdict} by ${before.source}, then ${after.verdict} by ${after.source}`;
  return (
    before.verdict === "lost" &&
    after.verdict === "suspect" &&
    `${before.id} was lost, then suspect`
  );
}

function hasExpectedVerdicts(
  { scenario }: SimulatedResponse,
  stored: Stored[],
): (string | false)[] {
  const last = stored.at(-1)?.known;
  if (last === undefined || last.settled_at === null) return [];
  const truth = expectedVerdict(scenario, last);
  return [
    last.verdict !== truth && `the verdict is ${last.verdict}, not ${truth}`,
    ...last.calls.map((call, index) => {
      const { verdict, source } = expectedCallVerdict(scenario, last, index);
      const right = call.verdict === verdict && call.source === source;
      return (
        !right && `${call.id} is ${call.verdict} by ${call.source}, not ${verdict} by ${source}`
      );
    }),
  ];
}

function isReadable({ kv, deleted }: SimulatedResponse): (string | false)[] {
  const stored = kv.record();
  if (stored === null || deleted) return [];
  const { known, body } = stored;
  return [
    known.body !== null && known.body.digest !== body && "the stored body is another one",
    ...known.files.map(
      (file) => file.url !== null && !kv.values.has(`file:${file.id}`) && `${file.id} is not there`,
    ),
    ...known.calls.map((call) => {
      const otherOutputs = kv.values.get(`outputs:${call.source}`) ?? "";
      const printed = JSON.stringify(`${call.code ?? ""} of `).slice(0, -1);
      const text = `${printed}${call.id}"`;
      const found = body.includes(text) || otherOutputs.includes(text);
      return call.state === "populated" && !found && `the outputs of ${call.id} are nowhere`;
    }),
  ];
}

function staysWithinBounds(response: SimulatedResponse, stored: Stored[]): (string | false)[] {
  const { scenario, kv, observations } = response;
  const most =
    stored.at(-1)?.known.observations.filter((seen) => seen.channel !== "control").length ?? 0;
  const happy = isHappyPath(response);
  return [
    most > MAX_OBSERVATIONS && `${most} observations`,
    happy && observations.length !== 1 && `${observations.length} observations where one is enough`,
    happy && kv.writes !== 3 && `${kv.writes} writes where three are enough`,
    ...(isUndelayed(response) && scenario.rates.file === 0
      ? response.instances.flatMap(findLongGaps)
      : []),
  ];
}

function findLongGaps(instance: Instance): (string | false)[] {
  // What a connection brought, it brought earlier.
  const asked = listObservations(instance).filter(
    (result) => result.observation.channel !== "held",
  );
  const times = asked.map((result) => toSeconds(result.observation.at));
  return times.map((time, index) => {
    const gap = time - (times[index - 1] ?? instance.born);
    return (
      gap > MAX_GAP_SECONDS + MAX_DELAY_SECONDS &&
      `${gap} seconds without an observation, until ${time}`
    );
  });
}

function observesInTime(response: SimulatedResponse, stored: Stored[]): (string | false)[] {
  const { scenario, refetchedAt, observations } = response;
  const last = stored.at(-1)?.known;
  if (last === undefined || scenario.store || scenario.end === null || !isUndelayed(response))
    return [];
  const known = last.observations.findIndex(isPlainEnd);
  const end = last.completed_at ?? last.observations[known]?.at;
  if (known === -1 || end === undefined) return [];
  const since = toSeconds(last.observations[known]?.at ?? end);
  return observations.map(({ at, channel }) => {
    const late = at - toSeconds(end);
    const isRequested = refetchedAt.some(
      (refetch) => refetch <= at && refetch >= at - MAX_DELAY_SECONDS,
    );
    return (
      channel === "refetch" &&
      at > since &&
      !isRequested &&
      late > MAX_UNSTORED_OBSERVATION_SECONDS + 2 &&
      `an observation ${late} seconds after the end`
    );
  });
}

function isSettled(response: SimulatedResponse, stored: Stored[]): (string | false)[] {
  const { instances, refetchedAt, deleted, observations } = response;
  const last = stored.at(-1)?.known;
  if (last === undefined || deleted) return [];
  const first = stored.find(({ known }) => known.settled_at !== null)?.known;
  const once = Math.max(...(first?.observations ?? []).map((seen) => toSeconds(seen.at)));
  // What a connection brought, it brought before it was observed.
  const later = observations.filter(({ at, channel }) => at > once && channel !== "held");
  const after = first === undefined ? [] : later;
  const unasked = after.filter(
    ({ at }) => !refetchedAt.some((refetch) => refetch <= at && refetch > once - MAX_DELAY_SECONDS),
  );
  return [
    last.settled_at === null && "the last stored record is not settled",
    instances.length === 1 &&
      unasked.length > 0 &&
      isUndelayed(response) &&
      `an observation at ${unasked[0]?.at} after it was settled`,
  ];
}

function controlsOnce(response: SimulatedResponse, stored: Stored[]): (string | false)[] {
  const last = stored.at(-1)?.known;
  const { controls, controlled, crashes, deleted, scenario } = response;
  const inTime = (scenario.control?.after ?? 0) < MAX_CONTROL_SECONDS;
  const recorded = last?.control?.status ?? null;
  return [
    controls > 1 && `it ran ${controls} times`,
    controlled &&
      inTime &&
      !deleted &&
      crashes === 0 &&
      (recorded === null || recorded === "interrupted") &&
      `it ended, and the record says ${recorded}`,
    last !== undefined &&
      last.control_due &&
      last.settled_at !== null &&
      "it is settled while its control is due",
  ];
}

function leavesNothing(response: SimulatedResponse): (string | false)[] {
  const left = [...response.kv.values.keys()].join(", ");
  return [(response.deleted || isUnwanted(response)) && left !== "" && `left: ${left}`];
}

function listMatchesRecord({ kv, deleted }: SimulatedResponse): (string | false)[] {
  const row = kv.values.get("index");
  const record = kv.record()?.known;
  if (row === undefined || record === undefined || deleted) return [];
  const same = row === JSON.stringify({ status: record.status, verdict: record.verdict });
  return [!same && `the list says ${row}, the record ${record.verdict}`];
}
