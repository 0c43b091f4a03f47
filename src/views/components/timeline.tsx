// What happened, as a picture of time: a row for each event, its dot where it stands in the run.
import { isTerminal } from "../../record/reducer.ts";
import type { Observation, ResponseRecord } from "../../record/schema.ts";
import { connectionOf } from "./held-connection.tsx";
import { scaleOf, type Scale } from "../text/time-scale.ts";
import { duration, moment } from "../text/format.ts";
import { Visible } from "./safe-text.tsx";
import { STATES, type Tone } from "../text/labels.ts";

/** Looks that get a row; of more, the first and the last. */
const MOST_LOOKS = { first: 8, last: 24 };

type Row = {
  label: string;
  detail: string;
  /** OpenAI's request id. */
  request?: string | null;
  at: string;
  /** For what lasts: its end. */
  until?: string;
  tone: Tone;
};

/** The record's timeline. */
export function Timeline(props: { record: Omit<ResponseRecord, "response">; now: number }) {
  const rows = rowsOf(props.record, props.now);
  const first = rows[0];
  if (first === undefined) return null;
  const start = Math.min(...rows.map((row) => Date.parse(row.at)));
  const since = (at: string) => Date.parse(at) - start;
  const scale = scaleOf(rows.flatMap((row) => [since(row.at), since(row.until ?? row.at)]));
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
        {scale.compressed ? " Later times are drawn closer together." : ""}
      </p>
    </section>
  );
}

function Axis(props: { scale: Scale }) {
  const { scale } = props;
  return (
    <svg class="axis" width="100%" height="20" aria-hidden="true">
      {scale.marks.map((mark) => (
        <text x={`${scale.at(mark)}%`} y="14" text-anchor="middle">
          {mark === 0 ? "0" : duration(mark)}
        </text>
      ))}
    </svg>
  );
}

function TimelineRow(props: { row: Row; scale: Scale; since: (at: string) => number }) {
  const { row, since } = props;
  return (
    <li>
      <span class="what">
        <strong>{row.label}</strong>
        <span class="detail">
          <Visible text={row.detail} />
          <Request id={row.request ?? null} />
        </span>
      </span>
      <time datetime={row.at} title={moment(row.at)}>
        +{duration(since(row.at))}
      </time>
      <Track row={row} scale={props.scale} since={since} />
    </li>
  );
}

function Request(props: { id: string | null }) {
  if (props.id === null) return null;
  return (
    <code class="request" title={props.id}>
      <Visible text={props.id} />
    </code>
  );
}

function Track(props: { row: Row; scale: Scale; since: (at: string) => number }) {
  const { row, scale, since } = props;
  const x = `${scale.at(since(row.at))}%`;
  return (
    <svg class="track" width="100%" height="30" aria-hidden="true">
      {scale.marks.map((mark) => (
        <line class="grid" x1={`${scale.at(mark)}%`} x2={`${scale.at(mark)}%`} y1="0" y2="100%" />
      ))}
      {row.until === undefined ? null : (
        <line
          class={`span ${row.tone}`}
          x1={x}
          x2={`${scale.at(since(row.until))}%`}
          y1="50%"
          y2="50%"
        />
      )}
      <circle class={`dot ${row.tone}`} cx={x} cy="50%" r="6" />
    </svg>
  );
}

function rowsOf(record: Omit<ResponseRecord, "response">, now: number): Row[] {
  const rows = [
    ...runOf(record, now),
    ...connectionRows(record, now),
    ...webhookOf(record),
    ...looksOf(record.observations),
    ...endOf(record),
  ];
  return rows.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function runOf(record: Omit<ResponseRecord, "response">, now: number): Row[] {
  if (record.created_at === null) return [];
  const ended = record.completed_at ?? endSeen(record);
  const until = ended ?? new Date(now).toISOString();
  const lasted = duration(Date.parse(until) - Date.parse(record.created_at));
  return [
    {
      label: "Run at OpenAI",
      detail: ended === null ? `${lasted} so far` : `${lasted}, ended ${record.status ?? ""}`,
      at: record.created_at,
      until,
      tone: ended === null ? "busy" : "calm",
    },
  ];
}

function connectionRows(record: Omit<ResponseRecord, "response">, now: number): Row[] {
  const connection = connectionOf(record);
  if (connection === null || record.created_at === null) return [];
  const { words, tone, ended } = connection;
  const open = ended === null && record.settled_at === null;
  const until = ended ?? (open ? new Date(now).toISOString() : record.created_at);
  return [{ label: "Connection", detail: words, at: record.created_at, until, tone }];
}

// OpenAI gives completed_at to completed responses only; of others it is known when the end was first seen.
function endSeen(record: Omit<ResponseRecord, "response">): string | null {
  if (record.verdict === "pending") return null;
  const seen = record.observations.find(
    (one) => isTerminal(one.status) && one.channel !== "control",
  );
  return record.webhook?.received_at ?? seen?.at ?? record.settled_at;
}

function webhookOf(record: Omit<ResponseRecord, "response">): Row[] {
  const { webhook } = record;
  if (webhook === null) return [];
  return [{ label: "Webhook", detail: webhook.type, at: webhook.received_at, tone: "calm" }];
}

function looksOf(observations: Observation[]): Row[] {
  let number = 0;
  const rows = observations.map((seen) => {
    if (seen.channel !== "control") number += 1;
    return lookOf(seen, number);
  });
  const { first, last } = MOST_LOOKS;
  if (rows.length <= first + last) return rows;
  const gap = rows[first];
  const left = rows.length - first - last;
  const between = gap === undefined ? [] : [{ ...gap, label: `${left} more looks`, detail: "" }];
  return [...rows.slice(0, first), ...between, ...rows.slice(-last)];
}

function lookOf(seen: Observation, number: number): Row {
  const parts = [answerOf(seen), seen.status, sightOf(seen)];
  return {
    label: seen.channel === "control" ? "Control" : `Look ${number}: ${seen.channel}`,
    detail: parts.filter((part) => part !== null && part !== "").join(", "),
    request: seen.request_id,
    at: seen.at,
    tone: toneOf(seen),
  };
}

/**
 * How OpenAI answered a look. Of a connection that was lost with its Holder even that is not known.
 * @param seen The look.
 */
export function answerOf(seen: Pick<Observation, "channel" | "http_status">): string {
  if (seen.http_status !== null) return `HTTP ${seen.http_status}`;
  return seen.channel === "held" ? "nothing left" : "no answer";
}

/**
 * What a look saw of the calls, counted.
 * @param seen The look.
 */
export function sightOf(seen: Pick<Observation, "calls">): string {
  const counts = Map.groupBy(seen.calls, (call) => call.outputs);
  return [...counts]
    .map(
      ([state, calls]) => `${STATES[state].words}${calls.length > 1 ? ` × ${calls.length}` : ""}`,
    )
    .join(", ");
}

function toneOf(seen: Observation): Tone {
  if (seen.http_status === null || seen.http_status >= 400) return "bad";
  if (seen.calls.length === 0) return "calm";
  return seen.calls.some((call) => call.outputs !== "populated") ? "warn" : "good";
}

function endOf(record: Omit<ResponseRecord, "response">): Row[] {
  const { recorded_at: recorded, settled_at: settled } = record;
  if (recorded === null) return [];
  const both = settled === recorded;
  const stored: Row = {
    label: both ? "Stored and settled" : "Stored",
    detail: both ? `${record.verdict}; no look is planned any more` : record.verdict,
    at: recorded,
    tone: "good",
  };
  if (both || settled === null) return [stored];
  return [
    stored,
    { label: "Settled", detail: "no look is planned any more", at: settled, tone: "good" },
  ];
}
