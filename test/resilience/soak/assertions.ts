// Compares what happened with what was recorded.
import { wrongBytes } from "./bytes.ts";
import type { Evidence, Found } from "./evidence.ts";
import type { Entry } from "./acknowledgements.ts";
import type { Truth } from "./emulator-api.ts";
import { withStreamed, wrongVerdicts } from "./verdicts.ts";

/** What must be zero, in the table's words. */
export const FAILURES = [
  "lost",
  "recorded twice",
  "wrong verdict",
  "wrong bytes",
  "created twice",
  "let in without a right signature",
] as const;
export type Failure = (typeof FAILURES)[number];

/** One thing that is wrong. */
export type Finding = { failure: Failure; number: number; id: string; why: string };

/** What must hold, and did not. */
export function judge(evidence: Evidence): Finding[] {
  const runs = runsOf(evidence);
  const requests = new Map(evidence.told.requests.map((asked) => [asked.request_id, asked]));
  const one = { evidence, requests };
  return [
    ...runs.flatMap(({ run, entry }) => judgeRun(one, run, entry)),
    ...[...evidence.ledger.entries.values()].flatMap((entry) => judgeUnknown(evidence, entry)),
    ...createdTwice(evidence),
    ...letIn(evidence),
  ];
}

/** The runs that were planned, each with its plan; not their controls. */
export function runsOf({ told, ledger }: Evidence): { run: Truth; entry: Entry }[] {
  return told.runs.flatMap((run) => {
    const entry = ledger.entryOf(run);
    return entry === null ? [] : [{ run, entry }];
  });
}

/** Whether the Worker has said that it will record a response. */
export function isAcknowledged({ ledger }: Evidence, id: string): boolean {
  return ledger.triggered.has(id) || ledger.delivered.has(id);
}

/** Whether a response's end stands in a record. */
export function isRecorded({ found }: Evidence, id: string): boolean {
  const record = found.get(id)?.record;
  return record !== undefined && record.verdict !== "pending" && record.settled_at !== null;
}

type Court = {
  evidence: Evidence;
  requests: ReadonlyMap<string, Evidence["told"]["requests"][number]>;
};

function judgeRun({ evidence, requests }: Court, run: Truth, entry: Entry): Finding[] {
  const { plan } = entry;
  const { id } = run;
  const of = (failure: Failure, why: string): Finding => ({
    failure,
    number: plan.number,
    id,
    why,
  });
  const times = evidence.listed.filter((listed) => listed === id).length;
  const twice = times > 1 ? [of("recorded twice", `it stands in the list ${times} times`)] : [];
  const found = evidence.found.get(id);
  if (!isAcknowledged(evidence, id) && plan.kind === "stranger" && found !== undefined) {
    return [of("let in without a right signature", "nobody told of it, and it is recorded")];
  }
  if (!isAcknowledged(evidence, id) && found === undefined) return twice;
  if (found === undefined) return [of("lost", "nothing is recorded"), ...twice];
  const { record } = found;
  if (wasGone(entry, run, found)) return twice;
  if (!isRecorded(evidence, id)) {
    return isAcknowledged(evidence, id) ? [of("lost", `it is ${record.verdict} still`)] : [];
  }
  const whole = withStreamed(run, record);
  const forgot = wasForgotten(evidence, id) && !wasKilled(evidence, run, found);
  return [
    ...twice,
    ...(times === 0 ? [of("lost", "it is not in the list")] : []),
    ...(forgot ? [of("lost", "what the trigger asked for is not recorded")] : []),
    ...wrongVerdicts({ plan, run: whole, record, requests }).map((why) => of("wrong verdict", why)),
    ...wrongBytes(plan, whole, found).map((why) => of("wrong bytes", why)),
  ];
}

/** Whether OpenAI had forgotten a response before any look at its end could reach it: nobody could have recorded it. */
export function wasGone({ plan }: Entry, run: Truth, { record }: Found): boolean {
  if (plan.kept === null || run.ended_at === null) return false;
  // What a connection brought before it was lost is no look at the end.
  const looks = record.observations.filter(({ channel }) => channel !== "held");
  const after = looks.filter(({ at }) => at >= (run.ended_at ?? ""));
  return after.length > 0 && after.every(({ http_status: status }) => status === 404);
}

/** Whether a trigger was acknowledged, and what it asked for is not in the record. */
export function wasForgotten({ ledger, found }: Evidence, id: string): boolean {
  const record = found.get(id)?.record;
  if (record === undefined || !ledger.triggered.has(id)) return false;
  return record.started_by !== "trigger" || record.request === null;
}

// A local Workflow keeps one waiting event of a type over a kill: the wish that wakes it takes the place of what waited before.
function wasKilled({ kills }: Evidence, run: Truth, { record }: Found): boolean {
  const end = Date.parse(record.recorded_at ?? "");
  return kills.some((at) => at >= run.created_at * 1000 && at <= end);
}

// A test event's sample id: looked for, never found, and not something anyone ran.
function judgeUnknown(evidence: Evidence, { plan, id }: Entry): Finding[] {
  if (plan.kind !== "unknown" || id === null || !evidence.ledger.delivered.has(id)) return [];
  const of = (failure: Failure, why: string): Finding => ({
    failure,
    number: plan.number,
    id,
    why,
  });
  const verdict = evidence.found.get(id)?.record.verdict ?? null;
  const listed = evidence.listed.includes(id);
  return [
    ...(verdict === null ? [of("lost", "its webhook was accepted")] : []),
    ...(verdict === "not_found" || verdict === "pending" || verdict === null
      ? []
      : [of("wrong verdict", `it is ${verdict}`)]),
    ...(listed ? [of("wrong verdict", "it stands in the list")] : []),
  ];
}

function createdTwice(evidence: Evidence): Finding[] {
  const groups = Map.groupBy(
    evidence.told.runs,
    ({ metadata, background }) => `${metadata["soak"]} ${background}`,
  );
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    if (first === undefined || runs.length === 1) return [];
    const number = Number(first.metadata["soak"]);
    const kind = evidence.ledger.entryOf(first) === null ? "controls" : "runs";
    return [{ failure: "created twice", number, id: first.id, why: `${runs.length} ${kind}` }];
  });
}

function letIn(evidence: Evidence): Finding[] {
  const numbers = new Map(runsOf(evidence).map(({ run, entry }) => [run.id, entry.plan.number]));
  return evidence.deliveries.flatMap(({ id, signed, status, webhookId }) => {
    if ((signed !== "wrong" && signed !== "stale") || status === 400 || status === null) return [];
    const why = `${webhookId}, signed ${signed}, was answered ${status}`;
    return [{ failure: "let in without a right signature", number: numbers.get(id) ?? 0, id, why }];
  });
}
