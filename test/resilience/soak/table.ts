// The soak's table: what was promised, what was kept, and what went wrong on the way.
import type { Evidence } from "./evidence.ts";
import {
  FAILURES,
  isAcknowledged,
  isRecorded,
  runsOf,
  wasForgotten,
  wasGone,
  type Finding,
} from "./assertions.ts";

/** A part of the table. */
export type Part = { title: string; rows: [string, string | number][] };

/** The whole table. */
export function tableOf(evidence: Evidence, findings: readonly Finding[]): Part[] {
  return [
    { title: "responses", rows: responses(evidence, findings) },
    { title: "time from the end of a response to its record", rows: times(evidence) },
    { title: "verdicts", rows: counted(verdicts(evidence)) },
    { title: "webhooks", rows: counted(mail(evidence)) },
    { title: "answers of OpenAI that were spoiled", rows: counted(spoiled(evidence)) },
    { title: "the platform", rows: platform(evidence) },
  ];
}

function responses(evidence: Evidence, findings: readonly Finding[]): Part["rows"] {
  const runs = runsOf(evidence).map(({ run }) => run.id);
  const acknowledged = runs.filter((id) => isAcknowledged(evidence, id));
  const recorded = runs.filter((id) => isRecorded(evidence, id));
  const silent = runs.filter((id) => !isAcknowledged(evidence, id));
  const failed = FAILURES.map((failure): [string, number] => {
    const ids = findings.filter((one) => one.failure === failure).map(({ id }) => id);
    return [failure, new Set(ids).size];
  });
  const [lost, ...others] = failed;
  const gone = runsOf(evidence).filter(({ run, entry }) => {
    const found = evidence.found.get(run.id);
    return found !== undefined && wasGone(entry, run, found);
  });
  const forgotten = runs.filter((id) => wasForgotten(evidence, id));
  return [
    ["planned", evidence.ledger.entries.size],
    ["started", runs.length],
    ["acknowledged", acknowledged.length],
    ["recorded", recorded.length],
    lost ?? ["lost", 0],
    ["unacknowledged and never delivered", silent.length],
    ...others,
    ["gone at OpenAI before anybody could look", gone.length],
    ["recorded without what the trigger asked for", forgotten.length],
    ["followed at once, at the most", evidence.ledger.mostOpen],
  ];
}

// `recorded_at` is when the look ended that the record was stored after.
function times({ told, found }: Evidence): Part["rows"] {
  const seconds = told.runs.flatMap(({ id, ended_at }) => {
    const at = found.get(id)?.record.observations.find((seen) => isEnd(seen.status))?.at;
    if (at === undefined || ended_at === null) return [];
    return [(Date.parse(at) - Date.parse(ended_at)) / 1000];
  });
  const sorted = seconds.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return [
    ["p50", `${at(0.5).toFixed(2)} s`],
    ["p99", `${at(0.99).toFixed(2)} s`],
    ["longest", `${at(1).toFixed(2)} s`],
  ];
}

function isEnd(status: string | null): boolean {
  return status !== null && status !== "queued" && status !== "in_progress";
}

function verdicts({ told, found }: Evidence): string[] {
  const ids = new Set(told.runs.map(({ id }) => id));
  return [...found].map(([id, { record }]) =>
    ids.has(id) ? record.verdict : `${record.verdict}, of an unknown id`,
  );
}

function mail({ ledger, deliveries, found }: Evidence): string[] {
  const gone = [...found.values()].filter(({ record }) => record.webhook === null).length;
  return [
    ...[...ledger.entries.values()].map(({ plan }) => plan.mail.name),
    ...deliveries.flatMap(({ attempt }) => (attempt > 1 ? ["sent again, for want of a 200"] : [])),
    ...Array.from({ length: gone }, () => "records that had to do without one"),
  ];
}

function spoiled({ told }: Evidence): string[] {
  return told.requests.flatMap(({ method, fault, status }) => {
    if (fault === null) return [];
    const how = fault === "status" ? `${status}` : fault;
    return [`${method === "POST" ? "create" : "look"}: ${how}`];
  });
}

function platform({ kills, cut, log }: Evidence): Part["rows"] {
  const failed = log.match(/\{"event":"soak_fault","kind":"(kv|step)"/g) ?? [];
  const writes = failed.filter((line) => line.includes('"kv"')).length;
  return [
    ["kill -9 of workerd, and a restart on its state", kills.length],
    ["requests that a kill cut off", cut],
    ["KV writes that failed", writes],
    ["Workflow steps that failed", failed.length - writes],
  ];
}

function counted(names: readonly string[]): Part["rows"] {
  const groups = Map.groupBy(names, (name) => name);
  return [...groups]
    .map(([name, all]): [string, number] => [name, all.length])
    .toSorted(([one], [other]) => one.localeCompare(other));
}

/** The table as text. */
export function drawTable(parts: readonly Part[]): string {
  return parts
    .map(({ title, rows }) => {
      const lines = rows.map(([name, value]) => `${String(value).padStart(10)}  ${name}`);
      return [title, ...lines].join("\n");
    })
    .join("\n\n");
}
