// Compares what was recorded with what happened.
import { findWrongBytes } from "./bytes.ts";
import { findUnkeptCalls, wasEndReported } from "./connections.ts";
import { findControlRun, findWrongControl } from "./controls.ts";
import type { Evidence, StoredResponse } from "./evidence.ts";
import type { ResponseEntry } from "./acknowledgements.ts";
import type { ActualRun } from "../../support/emulator-client.ts";
import { hasFault, isTerminal } from "./facts.ts";
import { withStreamedCalls, findWrongVerdicts } from "./verdicts.ts";

/** The failures that the table counts. Each count must be zero. */
export const FAILURES = [
  "lost",
  "recorded twice",
  "wrong verdict",
  "wrong bytes",
  "created twice",
  "accepted without a valid signature",
  "left after its deletion",
] as const;
export type Failure = (typeof FAILURES)[number];

export type Finding = { failure: Failure; number: number; id: string; why: string };

/** Returns everything that is wrong. */
export function findFailures(evidence: Evidence): Finding[] {
  const runs = listPlannedRuns(evidence);
  const requests = new Map(
    evidence.emulator.requests.map((request) => [request.request_id, request]),
  );
  const facts = { evidence, requests };
  return [
    ...runs.flatMap(({ run, entry }) => checkRun(facts, run, entry)),
    ...[...evidence.acknowledgements.entries.values()].flatMap((entry) =>
      checkUnknown(evidence, entry),
    ),
    ...findDoubleCreates(evidence),
    ...findAcceptedForgeries(evidence),
  ];
}

/** Returns the planned runs with their entries, without controls. */
export function listPlannedRuns({
  emulator,
  acknowledgements,
}: Evidence): { run: ActualRun; entry: ResponseEntry }[] {
  return emulator.runs.flatMap((run) => {
    const entry = acknowledgements.findEntry(run);
    return entry === null ? [] : [{ run, entry }];
  });
}

/** Whether the Worker has acknowledged a response. */
export function isAcknowledged({ acknowledgements }: Evidence, id: string): boolean {
  return acknowledgements.triggered.has(id) || acknowledgements.delivered.has(id);
}

/** Whether the end of a response is recorded. */
export function isRecorded({ stored }: Evidence, id: string): boolean {
  const record = stored.get(id)?.record;
  return record !== undefined && record.verdict !== "pending" && record.settled_at !== null;
}

type Facts = {
  evidence: Evidence;
  requests: ReadonlyMap<string, Evidence["emulator"]["requests"][number]>;
};

function checkRun({ evidence, requests }: Facts, run: ActualRun, entry: ResponseEntry): Finding[] {
  const { plan } = entry;
  const { id } = run;
  const toFinding = (failure: Failure, why: string): Finding => ({
    failure,
    number: plan.number,
    id,
    why,
  });
  if (entry.isDeleted) return findRemains(evidence, entry, id);
  const times = evidence.listed.filter((listed) => listed === id).length;
  const twice = times > 1 ? [toFinding("recorded twice", `the list has it ${times} times`)] : [];
  const found = evidence.stored.get(id);
  if (!isAcknowledged(evidence, id) && plan.kind === "external" && found !== undefined) {
    return [
      toFinding(
        "accepted without a valid signature",
        "it was recorded without a trigger or a valid webhook",
      ),
    ];
  }
  if (found === undefined) {
    const isKnown = isAcknowledged(evidence, id) || wasEndReported(evidence, run, entry.plan);
    const isLost = isKnown && !wasNeverShown(evidence, entry, run);
    return isLost ? [toFinding("lost", "nothing is recorded"), ...twice] : twice;
  }
  const { record } = found;
  if (wasGone(evidence, entry, run, found)) {
    // What was never seen is not found.
    const isWrong = record.status !== null && record.verdict !== "gone";
    const wrong = isWrong ? [toFinding("wrong verdict", `it is gone, not ${record.verdict}`)] : [];
    return [...twice, ...wrong];
  }
  if (!isRecorded(evidence, id)) {
    return isAcknowledged(evidence, id) ? [toFinding("lost", `it is still ${record.verdict}`)] : [];
  }
  const fullRun = withStreamedCalls(run, record, requests);
  const control = findControlRun(evidence, run);
  const facts = { plan, run: fullRun, control, record, requests };
  return [
    ...twice,
    ...(times === 0 ? [toFinding("lost", "it is not in the list")] : []),
    ...(wasForgotten(evidence, id)
      ? [toFinding("lost", "the trigger's options are not recorded")]
      : []),
    ...findUnkeptCalls(run, record).map((why) => toFinding("lost", why)),
    ...[...findWrongVerdicts(facts), ...findWrongControl(evidence, run, entry, found)].map((why) =>
      toFinding("wrong verdict", why),
    ),
    ...(found.kvCopy === null || found.kvCopy.record.settled_at === null
      ? [toFinding("lost", "KV does not have its last record")]
      : []),
    ...findWrongBytes(plan, fullRun, found).map((why) => toFinding("wrong bytes", why)),
  ];
}

// A run that was deleted is nowhere, and nothing reads its streams.
function findRemains(
  { stored, listed, left }: Evidence,
  { plan }: ResponseEntry,
  id: string,
): Finding[] {
  const remains = [
    ...(stored.has(id) ? ["its record"] : []),
    ...(listed.includes(id) ? ["its row in the list"] : []),
    ...(left.get(id) ?? []),
  ];
  return remains.map((what) => ({
    failure: "left after its deletion",
    number: plan.number,
    id,
    why: `${what} is still there`,
  }));
}

// Without its trigger's acknowledgement a response counts as external, and leaves no record where OpenAI had deleted it at the first refetch.
function wasNeverShown(evidence: Evidence, { plan }: ResponseEntry, run: ActualRun): boolean {
  if (!isRemoved(plan) || evidence.acknowledgements.triggered.has(run.id)) return false;
  return !wasShown(evidence, run) || hasDied(evidence, run);
}

// Whether OpenAI has it no more, soon after its end or from the beginning.
function isRemoved({ keptSeconds, vanishes }: ResponseEntry["plan"]): boolean {
  return keptSeconds !== null || vanishes;
}

/** What a connection brought before it was lost is no observation of the end, and a control is another run. */
const OTHER_CHANNELS = new Set(["held", "control"]);

/** Whether OpenAI had deleted a response before an observation could see its end: it could not be recorded. */
export function wasGone(
  evidence: Evidence,
  { plan }: ResponseEntry,
  run: ActualRun,
  { record }: StoredResponse,
): boolean {
  if (!isRemoved(plan) || run.ended_at === null) return false;
  const requested = record.observations.filter(
    ({ channel, status }) =>
      !OTHER_CHANNELS.has(channel) && (channel !== "stream" || isTerminal(status)),
  );
  const after = requested.filter(({ at }) => at >= (run.ended_at ?? ""));
  if (after.at(-1)?.http_status !== 404 || after.some(({ status }) => status !== null))
    return false;
  // A Recorder that died with the answer asked again when the response was deleted.
  return !wasShown(evidence, run) || hasDied(evidence, run);
}

/** Whether OpenAI showed the end of a run at least once. */
function wasShown({ emulator }: Evidence, { id, ended_at: endedAt }: ActualRun): boolean {
  const path = `/v1/responses/${id}`;
  return emulator.requests.some(
    (one) =>
      one.method === "GET" &&
      one.path === path &&
      one.status === 200 &&
      one.fault === null &&
      one.at >= (endedAt ?? ""),
  );
}

/** Whether the Recorder of a run died after the run's end, by itself or with workerd. */
function hasDied({ kills, log }: Evidence, { id, ended_at: endedAt }: ActualRun): boolean {
  if (kills.some((at) => at >= Date.parse(endedAt ?? ""))) return true;
  return hasFault(log, "death", id);
}

/** Whether a trigger was acknowledged, and its request is not in the record. */
function wasForgotten({ acknowledgements, stored }: Evidence, id: string): boolean {
  const record = stored.get(id)?.record;
  if (record === undefined || !acknowledgements.triggered.has(id)) return false;
  return record.started_by !== "trigger" || record.request === null;
}

/** Seconds of 404 after which a response that was never seen counts as not found. It leaves no record when it is external. */
const NOT_FOUND_AFTER_SECONDS = 60;

// The id of a test event is observed, never found, and was never run.
function checkUnknown(evidence: Evidence, { plan, id }: ResponseEntry): Finding[] {
  if (plan.kind !== "unknown" || id === null || !evidence.acknowledgements.delivered.has(id))
    return [];
  const toFinding = (failure: Failure, why: string): Finding => ({
    failure,
    number: plan.number,
    id,
    why,
  });
  const verdict = evidence.stored.get(id)?.record.verdict ?? null;
  const listed = evidence.listed.includes(id);
  // The first delivery may have begun it, although its answer was lost.
  const asked = evidence.emulator.requests.find(({ path }) => path.endsWith(`/${id}`));
  const age = (evidence.gatheredAt - Date.parse(asked?.at ?? "")) / 1000;
  return [
    ...(verdict === null && !(age >= NOT_FOUND_AFTER_SECONDS)
      ? [toFinding("lost", "its webhook was accepted")]
      : []),
    ...(verdict === "not_found" || verdict === "pending" || verdict === null
      ? []
      : [toFinding("wrong verdict", `it is ${verdict}`)]),
    ...(listed ? [toFinding("wrong verdict", "it is in the list")] : []),
  ];
}

function findDoubleCreates(evidence: Evidence): Finding[] {
  const groups = Map.groupBy(
    evidence.emulator.runs,
    ({ metadata, background }) => `${metadata["soak"]} ${background}`,
  );
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    if (first === undefined || runs.length === 1) return [];
    const number = Number(first.metadata["soak"]);
    const kind = evidence.acknowledgements.findEntry(first) === null ? "controls" : "runs";
    return [{ failure: "created twice", number, id: first.id, why: `${runs.length} ${kind}` }];
  });
}

function findAcceptedForgeries(evidence: Evidence): Finding[] {
  const numbers = new Map(
    listPlannedRuns(evidence).map(({ run, entry }) => [run.id, entry.plan.number]),
  );
  return evidence.deliveries.flatMap(({ id, signature, status, webhookId }) => {
    if ((signature !== "wrong" && signature !== "stale") || status === 400 || status === null)
      return [];
    const why = `${webhookId}, signed ${signature}, was answered ${status}`;
    return [
      { failure: "accepted without a valid signature", number: numbers.get(id) ?? 0, id, why },
    ];
  });
}
