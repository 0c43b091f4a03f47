// What must hold for every response, whatever went wrong.
import type { StoredRecord } from "../../../src/record/schema.ts";
import { toSeconds } from "./clock.ts";
import type { Instance } from "./engine.ts";
import { looksBeside, takesHeld } from "./held.ts";
import type { Stored } from "./kv.ts";
import { isCalm } from "./scenario.ts";
import { looksOf } from "./observations.ts";
import { callTruth, isEnd, isPlainEnd, responseTruth } from "./expected.ts";
import type { World } from "./world.ts";

const HOUR = 3600;
/** Steps that an instance has at the least. */
const MOST_STEPS = 1024;
const MOST_LOOKS = 420;
const LONGEST_GAP = 300;
/** Seconds after its end at which the last look is planned where OpenAI keeps a response for ten minutes. */
const FLEETING = 570;
/** Seconds that a look, and what it is delayed by, takes at the most where the platform behaves. */
const SLACK = 100;

type Rule = (world: World, stored: Stored[]) => (string | false)[];

/** Each invariant gives what breaks it. */
const RULES: Record<string, Rule> = {
  "it always ends": ends,
  "nothing seen is forgotten": forgetsNothing,
  "a record never gets worse": neverWorse,
  "verdicts match what the script knows": verdictsMatch,
  "what a record claims to have can be read": canBeRead,
  "looks, waits and writes stay within their bounds": withinBounds,
  "a fleeting response is not looked for when it is gone": noLateLook,
  "a record is settled when no look is planned, and only then": settled,
  "a control runs once, and what came of it is told": controlOnce,
  "nothing is left of what was deleted or not wanted": leavesNothing,
  "the list agrees with the record": listAgrees,
  "a held run is asked for once, and what its connection brought is recorded": takesHeld,
  "nobody looks often beside a held connection": looksBeside,
};

/** The invariants' names. */
export const INVARIANTS: readonly string[] = Object.keys(RULES);

/** Seconds after which a control is given up. */
const LONGEST_CONTROL = 24 * 60 * 60;

export type Failure = { invariant: string; why: string };

/**
 * Checks a response that was played to its end.
 * @param world All there is of it.
 */
export function check(world: World): Failure[] {
  return Object.entries(RULES).flatMap(([invariant, rule]) =>
    rule(world, world.kv.history)
      .filter((why) => why !== false)
      .map((why) => ({ invariant, why })),
  );
}

function ends({ instances, instance, holder }: World): (string | false)[] {
  return [...instances, ...(holder === null ? [] : [holder])].flatMap((one) => {
    const hours = ((one.ended ?? one.born) - one.born) / HOUR;
    const current = one === instance || one === holder;
    return [
      one.ended === null && current && "it never ended",
      one.failed !== null && `it failed: ${one.failed}`,
      one.begun.size > MOST_STEPS && `it took ${one.begun.size} steps`,
      hours > 25 && `it took ${hours.toFixed(1)} hours`,
    ];
  });
}

function forgetsNothing(world: World, stored: Stored[]): (string | false)[] {
  const last = stored.at(-1)?.known;
  if (world.deleted || isUnwanted(world)) return [];
  const recorded = world.instances.filter((one) => one.outcome?.recorded !== false);
  return recorded.flatMap(looksOf).flatMap((look) => {
    const { at, status } = look.observation;
    const had = (look.calls ?? []).flatMap((call, index) =>
      call.state === "populated" ? [{ ...call, index }] : [],
    );
    const ended = look.fields !== null && isEnd(status);
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

function neverWorse(_: World, stored: Stored[]): (string | false)[] {
  return stored.slice(1).flatMap(({ known: after }, index) => {
    const before = stored[index]?.known;
    if (before === undefined) return [];
    const was = `${before.verdict} (${before.status}) stored, then ${after.verdict} (${after.status})`;
    return [
      isEnd(before.status) && after.status !== before.status && `status: ${was}`,
      after.verdict === "pending" && `verdict: ${was}`,
      before.files.length > 0 && after.files.length === 0 && "files were forgotten",
      before.control !== null && after.control === null && "the control was forgotten",
      ...before.calls.map((call, at) => worse(call, after.calls[at])),
    ];
  });
}

type Call = StoredRecord["calls"][number];

function worse(before: Call, after: Call | undefined): string | false {
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

function verdictsMatch({ scenario }: World, stored: Stored[]): (string | false)[] {
  const last = stored.at(-1)?.known;
  if (last === undefined || last.settled_at === null) return [];
  const truth = responseTruth(scenario, last);
  return [
    last.verdict !== truth && `the verdict is ${last.verdict}, not ${truth}`,
    ...last.calls.map((call, index) => {
      const { verdict, source } = callTruth(scenario, last, index);
      const right = call.verdict === verdict && call.source === source;
      return (
        !right && `${call.id} is ${call.verdict} by ${call.source}, not ${verdict} by ${source}`
      );
    }),
  ];
}

function canBeRead({ kv, deleted }: World): (string | false)[] {
  const stored = kv.record();
  if (stored === null || deleted) return [];
  const { known, body } = stored;
  return [
    known.body !== null && known.body.digest !== body && "the stored body is another one",
    ...known.files.map(
      (file) => file.url !== null && !kv.values.has(`file:${file.id}`) && `${file.id} is not there`,
    ),
    ...known.calls.map((call) => {
      const beside = kv.values.get(`outputs:${call.source}`) ?? "";
      const printed = JSON.stringify(`${call.code ?? ""} of `).slice(0, -1);
      const text = `${printed}${call.id}"`;
      const found = body.includes(text) || beside.includes(text);
      return call.state === "populated" && !found && `the outputs of ${call.id} are nowhere`;
    }),
  ];
}

function withinBounds(world: World, stored: Stored[]): (string | false)[] {
  const { scenario, kv, looks } = world;
  const most =
    stored.at(-1)?.known.observations.filter((seen) => seen.channel !== "control").length ?? 0;
  const happy = isHappy(world);
  return [
    most > MOST_LOOKS && `${most} looks`,
    happy && looks.length !== 1 && `${looks.length} looks where one is enough`,
    happy && kv.writes !== 3 && `${kv.writes} writes where three are enough`,
    ...(behaves(world) && scenario.rates.file === 0 ? world.instances.flatMap(longGaps) : []),
  ];
}

function longGaps(instance: Instance): (string | false)[] {
  // What a connection brought, it brought at some time before.
  const asked = looksOf(instance).filter((look) => look.observation.channel !== "held");
  const times = asked.map((look) => toSeconds(look.observation.at));
  return times.map((time, index) => {
    const gap = time - (times[index - 1] ?? instance.born);
    return gap > LONGEST_GAP + SLACK && `${gap} seconds without a look, until ${time}`;
  });
}

function noLateLook(world: World, stored: Stored[]): (string | false)[] {
  const { scenario, wishes, looks } = world;
  const last = stored.at(-1)?.known;
  if (last === undefined || scenario.store || scenario.end === null || !behaves(world)) return [];
  const known = last.observations.findIndex(isPlainEnd);
  const end = last.completed_at ?? last.observations[known]?.at;
  if (known === -1 || end === undefined) return [];
  const since = toSeconds(last.observations[known]?.at ?? end);
  return looks.map(({ at, channel }) => {
    const late = at - toSeconds(end);
    const wished = wishes.some((wish) => wish <= at && wish >= at - SLACK);
    return (
      channel === "refetch" &&
      at > since &&
      !wished &&
      late > FLEETING + 2 &&
      `a look ${late} seconds after the end`
    );
  });
}

function settled(world: World, stored: Stored[]): (string | false)[] {
  const { instances, wishes, deleted, looks } = world;
  const last = stored.at(-1)?.known;
  if (last === undefined || deleted) return [];
  const first = stored.find(({ known }) => known.settled_at !== null)?.known;
  const once = Math.max(...(first?.observations ?? []).map((seen) => toSeconds(seen.at)));
  // What a connection brought, it brought before anyone looked at it.
  const later = looks.filter((look) => look.at > once && look.channel !== "held");
  const after = first === undefined ? [] : later;
  const unasked = after.filter(
    (look) => !wishes.some((wish) => wish <= look.at && wish > once - SLACK),
  );
  return [
    last.settled_at === null && "the last stored record is not settled",
    instances.length === 1 &&
      unasked.length > 0 &&
      behaves(world) &&
      `a look at ${unasked[0]?.at} after it was settled`,
  ];
}

function controlOnce(world: World, stored: Stored[]): (string | false)[] {
  const last = stored.at(-1)?.known;
  const { controls, controlled, crashes, deleted, scenario } = world;
  const inTime = (scenario.control?.after ?? 0) < LONGEST_CONTROL;
  const told = last?.control?.status ?? null;
  return [
    controls > 1 && `it ran ${controls} times`,
    controlled &&
      inTime &&
      !deleted &&
      crashes === 0 &&
      (told === null || told === "interrupted") &&
      `it ended, and the record says ${told}`,
    last !== undefined &&
      last.control_due &&
      last.settled_at !== null &&
      "it is settled while its control is due",
  ];
}

function leavesNothing(world: World): (string | false)[] {
  const left = [...world.kv.values.keys()].join(", ");
  return [(world.deleted || isUnwanted(world)) && left !== "" && `left: ${left}`];
}

function listAgrees({ kv, deleted }: World): (string | false)[] {
  const row = kv.values.get("index");
  const record = kv.record()?.known;
  if (row === undefined || record === undefined || deleted) return [];
  const same = row === JSON.stringify({ status: record.status, verdict: record.verdict });
  return [!same && `the list says ${row}, the record ${record.verdict}`];
}

// What was gone before anyone could see whose it was counts as not found, like any unknown id.
function isUnwanted({ scenario, instances, kv, handedOver }: World): boolean {
  const known = kv.record()?.known;
  if (known !== undefined && known.status === null) return false;
  const asked = instances.some((one) => one.start.action === "refetch");
  // Below /v1 a response carries no mark: until it is handed over it is a stranger's.
  const ours = scenario.ours && (scenario.held?.by !== "v1" || handedOver > 0);
  return !ours && !scenario.strangersWanted && !scenario.unknown && scenario.end !== null && !asked;
}

// Crashes, refused writes and slow retries may delay anything.
function behaves({ scenario, crashes }: World): boolean {
  return crashes === 0 && scenario.rates.write === 0 && scenario.outage === null;
}

function isHappy({ scenario }: World): boolean {
  const { ours, end, held, outputsAfter, arrivals, containers, control, calls } = scenario;
  const plain =
    ours &&
    held === null &&
    end !== null &&
    end < 110 &&
    control === null &&
    containers === 0 &&
    arrivals.length === 2 &&
    arrivals[0]?.at === 0 &&
    arrivals[1]?.what === "webhook" &&
    arrivals[1].at >= end;
  return (
    isCalm(scenario) &&
    plain &&
    outputsAfter === 0 &&
    calls.every((call) => call.printed || !call.shows)
  );
}
