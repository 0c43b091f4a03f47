// The timeline of a run: a row for each event, with a dot at its time.
import type { Observation, ResponseRecord } from "../../record/schema.ts";
import { describeConnection } from "../text/connection.ts";
import { findEndTime } from "../text/end.ts";
import { createTimeScale, type TimeScale } from "../text/time-scale.ts";
import { formatDuration } from "../text/format.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { Time } from "../components/time.tsx";
import { RUN_VERDICTS, toWords, type Tone } from "../text/labels.ts";
import { nameCheck, summarizeObservation } from "../text/observations.ts";

/** Of more observations than the sum, only the first and the last get a row. */
const MAX_FIRST_OBSERVATIONS = 8;
const MAX_LAST_OBSERVATIONS = 24;

type Subject = Omit<ResponseRecord, "response">;

type TimelineEntry = {
  label: string;
  detail: string;
  /** OpenAI's request id. */
  requestId?: string | null;
  at: string;
  /** The end of an entry that lasts. */
  until?: string;
  tone: Tone;
};

/** The timeline of a record. */
export function Timeline(props: { record: Subject; nowMs: number }) {
  const rows = toEntries(props.record, props.nowMs);
  if (rows.length === 0) return null;
  const startMs = Math.min(...rows.map((row) => Date.parse(row.at)));
  const toOffsetMs = (at: string) => Date.parse(at) - startMs;
  const scale = createTimeScale(
    rows.flatMap((row) => [toOffsetMs(row.at), toOffsetMs(row.until ?? row.at)]),
  );
  return (
    <section class="card" aria-labelledby="timeline">
      <h2 id="timeline">Timeline</h2>
      <div class="timeline">
        <Axis scale={scale} />
        <ol>
          {rows.map((row) => (
            <TimelineRow row={row} scale={scale} toOffsetMs={toOffsetMs} />
          ))}
        </ol>
      </div>
      <p class="note">
        The times of creation and completion are from OpenAI's clock, in whole seconds; all others
        are from the recorder's clock.
        {scale.isCompressed ? " Later times are drawn closer together." : ""}
      </p>
    </section>
  );
}

function Axis(props: { scale: TimeScale }) {
  const { scale } = props;
  return (
    <svg class="axis" width="100%" height="20" aria-hidden="true">
      {scale.marksMs.map((mark) => (
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
  toOffsetMs: (at: string) => number;
}) {
  const { row, toOffsetMs } = props;
  return (
    <li>
      <span class="entry">
        <strong>{row.label}</strong>
        <span class="detail">
          <IsolatedText text={row.detail} />
          <RequestId id={row.requestId ?? null} />
        </span>
      </span>
      <Time at={row.at}>+{formatDuration(toOffsetMs(row.at))}</Time>
      <Track row={row} scale={props.scale} toOffsetMs={toOffsetMs} />
    </li>
  );
}

function RequestId(props: { id: string | null }) {
  if (props.id === null) return null;
  return (
    <code class="request-id" title={props.id}>
      <IsolatedText text={props.id} />
    </code>
  );
}

function Track(props: {
  row: TimelineEntry;
  scale: TimeScale;
  toOffsetMs: (at: string) => number;
}) {
  const { row, scale, toOffsetMs } = props;
  const x = `${scale.toPercent(toOffsetMs(row.at))}%`;
  return (
    <svg class="track" width="100%" height="30" aria-hidden="true">
      {scale.marksMs.map((mark) => (
        <line
          class="grid-line"
          x1={`${scale.toPercent(mark)}%`}
          x2={`${scale.toPercent(mark)}%`}
          y1="0"
          y2="100%"
        />
      ))}
      {row.until === undefined ? null : (
        <line
          class={`duration ${row.tone}`}
          x1={x}
          x2={`${scale.toPercent(toOffsetMs(row.until))}%`}
          y1="50%"
          y2="50%"
        />
      )}
      <circle class={`dot ${row.tone}`} cx={x} cy="50%" r="6" />
    </svg>
  );
}

function toEntries(record: Subject, nowMs: number): TimelineEntry[] {
  const rows = [
    ...toRunEntries(record, nowMs),
    ...toConnectionEntries(record, nowMs),
    ...toWebhookEntries(record),
    ...toObservationEntries(record.observations),
    ...toStoredEntries(record),
  ];
  return rows.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function toRunEntries(record: Subject, nowMs: number): TimelineEntry[] {
  if (record.created_at === null) return [];
  const end = findEndTime(record);
  const isRunning = record.verdict === "pending";
  const until = end ?? (isRunning ? null : record.settled_at) ?? new Date(nowMs).toISOString();
  const duration = formatDuration(Date.parse(until) - Date.parse(record.created_at));
  const endless = isRunning ? `${duration} so far` : "its end was never seen";
  return [
    {
      label: "Run at OpenAI",
      detail: end === null ? endless : `${duration}, ended ${toWords(record.status ?? "")}`,
      at: record.created_at,
      until,
      tone: isRunning ? "busy" : "neutral",
    },
  ];
}

function toConnectionEntries(record: Subject, nowMs: number): TimelineEntry[] {
  const connection = describeConnection(record);
  if (connection === null || record.created_at === null) return [];
  const { kind, label: detail, tone, endedAt } = connection;
  const isOpen = endedAt === null && record.settled_at === null;
  const until = endedAt ?? (isOpen ? new Date(nowMs).toISOString() : record.created_at);
  const label = kind === "held" ? "Connection" : "Stream";
  return [{ label, detail, at: record.created_at, until, tone }];
}

function toWebhookEntries(record: Subject): TimelineEntry[] {
  const { webhook } = record;
  if (webhook === null) return [];
  return [
    { label: "Webhook received", detail: webhook.type, at: webhook.received_at, tone: "neutral" },
  ];
}

function toObservationEntries(observations: Observation[]): TimelineEntry[] {
  let number = 0;
  const rows = observations.map((seen) => {
    if (seen.channel !== "control") number += 1;
    return toObservationEntry(seen, number);
  });
  const hidden = rows.slice(MAX_FIRST_OBSERVATIONS, -MAX_LAST_OBSERVATIONS);
  const [firstHidden] = hidden;
  if (firstHidden === undefined) return rows;
  const summary = { ...firstHidden, label: `${hidden.length} more checks`, detail: "" };
  return [...rows.slice(0, MAX_FIRST_OBSERVATIONS), summary, ...rows.slice(-MAX_LAST_OBSERVATIONS)];
}

function toObservationEntry(seen: Observation, number: number): TimelineEntry {
  return {
    label: seen.channel === "control" ? "Control" : nameCheck(number, seen.channel),
    detail: summarizeObservation(seen),
    requestId: seen.request_id,
    at: seen.at,
    tone: toObservationTone(seen),
  };
}

function toObservationTone(seen: Observation): Tone {
  if (seen.http_status === null || seen.http_status >= 400) return "bad";
  if (seen.calls.length === 0) return "neutral";
  return seen.calls.some((call) => call.outputs !== "populated") ? "warn" : "good";
}

function toStoredEntries(record: Subject): TimelineEntry[] {
  const { verdict, recorded_at: recordedAt, settled_at: settledAt } = record;
  if (recordedAt === null) return [];
  const outcome = { detail: toWords(verdict), tone: RUN_VERDICTS[verdict].tone };
  if (settledAt === recordedAt) {
    return [{ label: "Stored, finished checking", at: recordedAt, ...outcome }];
  }
  // The verdict may have been another one by then.
  const stored: TimelineEntry = {
    label: "First stored",
    detail: "",
    at: recordedAt,
    tone: "neutral",
  };
  if (settledAt === null) return [stored];
  return [stored, { label: "Finished checking", at: settledAt, ...outcome }];
}
