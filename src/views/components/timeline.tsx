// What happened, as a picture of time: a row for each event, its dot where it stands in the run.
import { isTerminal } from "../../record/reducer.ts";
import type { Observation, ResponseRecord } from "../../record/schema.ts";
import { describeConnection } from "../text/held-connection.ts";
import { createTimeScale, type TimeScale } from "../text/time-scale.ts";
import { formatDuration, formatTime } from "../text/format.ts";
import { IsolatedText } from "./safe-text.tsx";
import type { Tone } from "../text/labels.ts";
import { summarizeObservation } from "../text/observations.ts";

/** Looks that get a row; of more, the first and the last. */
const MAX_OBSERVATIONS = { first: 8, last: 24 };

type TimelineEntry = {
  label: string;
  detail: string;
  /** OpenAI's request id. */
  requestId?: string | null;
  at: string;
  /** For what lasts: its end. */
  until?: string;
  tone: Tone;
};

/** The record's timeline. */
export function Timeline(props: { record: Omit<ResponseRecord, "response">; now: number }) {
  const rows = toEntries(props.record, props.now);
  const first = rows[0];
  if (first === undefined) return null;
  const start = Math.min(...rows.map((row) => Date.parse(row.at)));
  const since = (at: string) => Date.parse(at) - start;
  const scale = createTimeScale(rows.flatMap((row) => [since(row.at), since(row.until ?? row.at)]));
  return (
    <section class="card" aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      <div class="timeline">
        <Axis scale={scale} />
        <ol>
          {rows.map((row) => (
            <TimelineRow row={row} scale={scale} since={since} />
          ))}
        </ol>
      </div>
      <p class="note">
        Created and ended are OpenAI's clock, in whole seconds; the rest is the recorder's.
        {scale.isCompressed ? " Later times are drawn closer together." : ""}
      </p>
    </section>
  );
}

function Axis(props: { scale: TimeScale }) {
  const { scale } = props;
  return (
    <svg class="axis" width="100%" height="20" aria-hidden="true">
      {scale.marks.map((mark) => (
        <text x={`${scale.toPercent(mark)}%`} y="14" text-anchor="middle">
          {mark === 0 ? "0" : formatDuration(mark)}
        </text>
      ))}
    </svg>
  );
}

function TimelineRow(props: {
  row: TimelineEntry;
  scale: TimeScale;
  since: (at: string) => number;
}) {
  const { row, since } = props;
  return (
    <li>
      <span class="what">
        <strong>{row.label}</strong>
        <span class="detail">
          <IsolatedText text={row.detail} />
          <Request id={row.requestId ?? null} />
        </span>
      </span>
      <time datetime={row.at} title={formatTime(row.at)}>
        +{formatDuration(since(row.at))}
      </time>
      <Track row={row} scale={props.scale} since={since} />
    </li>
  );
}

function Request(props: { id: string | null }) {
  if (props.id === null) return null;
  return (
    <code class="request" title={props.id}>
      <IsolatedText text={props.id} />
    </code>
  );
}

function Track(props: { row: TimelineEntry; scale: TimeScale; since: (at: string) => number }) {
  const { row, scale, since } = props;
  const x = `${scale.toPercent(since(row.at))}%`;
  return (
    <svg class="track" width="100%" height="30" aria-hidden="true">
      {scale.marks.map((mark) => (
        <line
          class="grid"
          x1={`${scale.toPercent(mark)}%`}
          x2={`${scale.toPercent(mark)}%`}
          y1="0"
          y2="100%"
        />
      ))}
      {row.until === undefined ? null : (
        <line
          class={`span ${row.tone}`}
          x1={x}
          x2={`${scale.toPercent(since(row.until))}%`}
          y1="50%"
          y2="50%"
        />
      )}
      <circle class={`dot ${row.tone}`} cx={x} cy="50%" r="6" />
    </svg>
  );
}

function toEntries(record: Omit<ResponseRecord, "response">, now: number): TimelineEntry[] {
  const rows = [
    ...runEntry(record, now),
    ...connectionEntry(record, now),
    ...webhookEntry(record),
    ...observationEntries(record.observations),
    ...storedEntries(record),
  ];
  return rows.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function runEntry(record: Omit<ResponseRecord, "response">, now: number): TimelineEntry[] {
  if (record.created_at === null) return [];
  const ended = record.completed_at ?? findEndTime(record);
  const until = ended ?? new Date(now).toISOString();
  const lasted = formatDuration(Date.parse(until) - Date.parse(record.created_at));
  return [
    {
      label: "Run at OpenAI",
      detail: ended === null ? `${lasted} so far` : `${lasted}, ended ${record.status ?? ""}`,
      at: record.created_at,
      until,
      tone: ended === null ? "busy" : "neutral",
    },
  ];
}

function connectionEntry(record: Omit<ResponseRecord, "response">, now: number): TimelineEntry[] {
  const connection = describeConnection(record);
  if (connection === null || record.created_at === null) return [];
  const { label, tone, endedAt } = connection;
  const open = endedAt === null && record.settled_at === null;
  const until = endedAt ?? (open ? new Date(now).toISOString() : record.created_at);
  return [{ label: "Connection", detail: label, at: record.created_at, until, tone }];
}

// OpenAI gives completed_at to completed responses only; of others it is known when the end was first seen.
function findEndTime(record: Omit<ResponseRecord, "response">): string | null {
  if (record.verdict === "pending") return null;
  const seen = record.observations.find(
    (one) => isTerminal(one.status) && one.channel !== "control",
  );
  return record.webhook?.received_at ?? seen?.at ?? record.settled_at;
}

function webhookEntry(record: Omit<ResponseRecord, "response">): TimelineEntry[] {
  const { webhook } = record;
  if (webhook === null) return [];
  return [{ label: "Webhook", detail: webhook.type, at: webhook.received_at, tone: "neutral" }];
}

function observationEntries(observations: Observation[]): TimelineEntry[] {
  let number = 0;
  const rows = observations.map((seen) => {
    if (seen.channel !== "control") number += 1;
    return observationEntry(seen, number);
  });
  const { first, last } = MAX_OBSERVATIONS;
  if (rows.length <= first + last) return rows;
  const gap = rows[first];
  const left = rows.length - first - last;
  const between =
    gap === undefined ? [] : [{ ...gap, label: `${left} more observations`, detail: "" }];
  return [...rows.slice(0, first), ...between, ...rows.slice(-last)];
}

function observationEntry(seen: Observation, number: number): TimelineEntry {
  return {
    label: seen.channel === "control" ? "Control" : `Observation ${number}: ${seen.channel}`,
    detail: summarizeObservation(seen),
    requestId: seen.request_id,
    at: seen.at,
    tone: observationTone(seen),
  };
}

function observationTone(seen: Observation): Tone {
  if (seen.http_status === null || seen.http_status >= 400) return "bad";
  if (seen.calls.length === 0) return "neutral";
  return seen.calls.some((call) => call.outputs !== "populated") ? "warn" : "good";
}

function storedEntries(record: Omit<ResponseRecord, "response">): TimelineEntry[] {
  const { recorded_at: recorded, settled_at: settled } = record;
  if (recorded === null) return [];
  const both = settled === recorded;
  const stored: TimelineEntry = {
    label: both ? "Stored and settled" : "Stored",
    detail: both ? `${record.verdict}; no observation is planned any more` : record.verdict,
    at: recorded,
    tone: "good",
  };
  if (both || settled === null) return [stored];
  return [
    stored,
    { label: "Settled", detail: "no observation is planned any more", at: settled, tone: "good" },
  ];
}
