// The table of a soak: what was acknowledged, what was recorded, and which faults there were.
import type { Evidence } from "./evidence.ts";
import {
  FAILURES,
  isAcknowledged,
  isRecorded,
  listPlannedRuns,
  wasGone,
  type Finding,
} from "./assertions.ts";

export type TableSection = { title: string; rows: [string, string | number][] };

export function createTable(evidence: Evidence, findings: readonly Finding[]): TableSection[] {
  return [
    { title: "responses", rows: countResponses(evidence, findings) },
    { title: "time from the end of a response to its record", rows: measureTimes(evidence) },
    { title: "kinds", rows: countByName(listKinds(evidence)) },
    { title: "controls", rows: countByName(listControls(evidence)) },
    { title: "verdicts", rows: countByName(listVerdicts(evidence)) },
    { title: "webhooks", rows: countByName(listWebhookFates(evidence)) },
    { title: "faults injected into OpenAI's answers", rows: countByName(listFaults(evidence)) },
    { title: "faults of the platform", rows: countPlatformFaults(evidence) },
  ];
}

function countResponses(evidence: Evidence, findings: readonly Finding[]): TableSection["rows"] {
  const runs = listPlannedRuns(evidence).map(({ run }) => run.id);
  const acknowledged = runs.filter((id) => isAcknowledged(evidence, id));
  const recorded = runs.filter((id) => isRecorded(evidence, id));
  const unacknowledged = runs.filter((id) => !isAcknowledged(evidence, id));
  const failed = FAILURES.map((failure): [string, number] => {
    const ids = findings.filter((one) => one.failure === failure).map(({ id }) => id);
    return [failure, new Set(ids).size];
  });
  const [lost, ...others] = failed;
  const gone = listPlannedRuns(evidence).filter(({ run, entry }) => {
    const found = evidence.stored.get(run.id);
    return found !== undefined && wasGone(evidence, entry, run, found);
  });
  return [
    ["planned", evidence.acknowledgements.entries.size],
    ["started", runs.length],
    ["acknowledged", acknowledged.length],
    ["recorded", recorded.length],
    lost ?? ["lost", 0],
    ["unacknowledged and never delivered", unacknowledged.length],
    ...others,
    ["gone at OpenAI before it was observed", gone.length],
    ["waited for at once, maximum", evidence.acknowledgements.maxIncomplete],
  ];
}

// Until the observation that saw the end.
function measureTimes({ emulator, stored }: Evidence): TableSection["rows"] {
  const times = emulator.runs.flatMap(({ id, ended_at, metadata }) => {
    const at = stored.get(id)?.record.observations.find((seen) => isEnd(seen.status))?.at;
    if (at === undefined || ended_at === null) return [];
    const number = metadata["soak"] ?? "";
    return [{ seconds: (Date.parse(at) - Date.parse(ended_at)) / 1000, number }];
  });
  const sorted = times.toSorted((one, other) => one.seconds - other.seconds);
  const toText = (share: number) => {
    const found = sorted[Math.floor((sorted.length - 1) * share)];
    return found === undefined ? "none" : `${found.seconds.toFixed(2)} s`;
  };
  return [
    ["p50", toText(0.5)],
    ["p99", toText(0.99)],
    [`longest, of response ${sorted.at(-1)?.number}`, toText(1)],
  ];
}

function isEnd(status: string | null): boolean {
  return status !== null && status !== "queued" && status !== "in_progress";
}

function listKinds(evidence: Evidence): string[] {
  return listPlannedRuns(evidence).flatMap(({ entry: { plan, isDeleted } }) => [
    plan.kind,
    ...(isDeleted ? ["deleted"] : []),
  ]);
}

function listControls({ stored }: Evidence): string[] {
  return [...stored.values()].flatMap(({ record: { control } }) =>
    control === null ? [] : [String(control.status)],
  );
}

function listVerdicts({ emulator, stored }: Evidence): string[] {
  const ids = new Set(emulator.runs.map(({ id }) => id));
  return [...stored].map(([id, { record }]) =>
    ids.has(id) ? record.verdict : `${record.verdict}, of an unknown id`,
  );
}

function listWebhookFates({ acknowledgements, deliveries, stored }: Evidence): string[] {
  const gone = [...stored.values()].filter(({ record }) => record.webhook === null).length;
  return [
    ...[...acknowledgements.entries.values()].map(({ plan }) => plan.webhookSchedule.name),
    ...deliveries.flatMap(({ attempt }) => (attempt > 1 ? ["repeated without a 200"] : [])),
    ...Array.from({ length: gone }, () => "records without a webhook"),
  ];
}

function listFaults({ emulator }: Evidence): string[] {
  return emulator.requests.flatMap(({ method, fault, status }) => {
    if (fault === null) return [];
    const how = fault === "status" ? `${status}` : fault;
    return [`${method === "POST" ? "create" : "refetch"}: ${how}`];
  });
}

function countPlatformFaults({ kills, cutOff, log }: Evidence): TableSection["rows"] {
  const faults = log.match(/\{"event":"soak_fault","kind":"\w+"/g) ?? [];
  const count = (kind: string) => faults.filter((line) => line.endsWith(`"${kind}"`)).length;
  return [
    ["kill -9 of workerd, and a restart on its state", kills.length],
    ["requests that a kill cut off", cutOff],
    ["Recorders that died", count("death")],
    ["KV writes that failed", count("kv")],
    ["Catalog calls that failed", count("catalog")],
    ["Connections that died", count("connection_death")],
    ["calls to Connections that failed", count("connection_call")],
    ["Connections' calls to Recorders that failed", count("recorder_call")],
    ["Connections that a kill or a death cut off", countLines(log, "connection_lost")],
    ["broken streams that were taken up again", countLines(log, "connection_resume")],
  ];
}

function countLines(log: string, event: string): number {
  return log.split(`{"event":"${event}"`).length - 1;
}

function countByName(names: readonly string[]): TableSection["rows"] {
  const groups = Map.groupBy(names, (name) => name);
  return [...groups]
    .map(([name, all]): [string, number] => [name, all.length])
    .toSorted(([one], [other]) => one.localeCompare(other));
}

export function formatTable(sections: readonly TableSection[]): string {
  return sections
    .map(({ title, rows }) => {
      const lines = rows.map(([name, value]) => `${String(value).padStart(10)}  ${name}`);
      return [title, ...lines].join("\n");
    })
    .join("\n\n");
}
