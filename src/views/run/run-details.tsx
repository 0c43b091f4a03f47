// The details of a run in a grid: model, times, tokens, how its end was reported, what belongs to it.
import type { Child } from "hono/jsx";
import type { PageResponse, Usage } from "../../api/answers/page-response.ts";
import type { PageRecord } from "../../api/answers/representation.ts";
import { isTerminal } from "../../record/reducer.ts";
import { isDeletedAtOpenAI } from "../../record/observed/deleted.ts";
import { formatCount, formatDay, formatDuration, millisecondsBetween } from "../text/format.ts";
import { describeConnection } from "../text/connection.ts";
import { findEndTime } from "../text/end.ts";
import { ONLY_COPY, STARTED_BY, toWords } from "../text/labels.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { Time } from "../components/time.tsx";
import { LogLink } from "../components/log-link.tsx";
import { Notification } from "./notification.tsx";

type Detail = [name: string, value: Child];

/** The details of a run. What is not known is left out. */
export function RunDetails(props: { record: PageRecord; response: PageResponse }) {
  const { record, response } = props;
  const details: Detail[] = [
    [
      "Verdict",
      <FilterLink name="verdict" value={record.verdict} label={toWords(record.verdict)} />,
    ],
    [toStatusName(record), <IsolatedText text={toWords(record.status ?? "unknown")} />],
    ["Model", record.model === null ? "unknown" : <FilterLink name="model" value={record.model} />],
    ["Created", record.created_at === null ? "unknown" : <Time at={record.created_at} />],
    ...toDurations(record),
    ...toOptional("Tokens", response.usage, (usage) => <Tokens usage={usage} />),
    ["Checks", String(countChecks(record))],
    ["Started by", STARTED_BY[record.started_by]],
    ...toFlags(record),
    ...toDelivery(record),
    ...toOptional("Notification", record.notification, (one) => <Notification attempt={one} />),
    ...toLinks(record),
    ["Kept until", <Time at={record.expires_at}>{formatDay(record.expires_at)}</Time>],
    ...toCopy(record),
  ];
  return (
    <dl class="properties">
      {details.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function toOptional<T>(name: string, value: T | null, show: (value: T) => Child): Detail[] {
  return value === null ? [] : [[name, show(value)]];
}

function FilterLink(props: { name: string; value: string; label?: string }) {
  const query = new URLSearchParams([[props.name, props.value]]);
  return (
    <a href={`/results?${query.toString()}`}>
      <IsolatedText text={props.label ?? props.value} />
    </a>
  );
}

function toDurations(record: PageRecord): Detail[] {
  const ranMs = millisecondsBetween(record.created_at, findEndTime(record));
  const storedMs = millisecondsBetween(record.created_at, record.recorded_at);
  return [
    ...toOptional("Ran for", ranMs, formatDuration),
    ...toOptional("First stored after", storedMs, formatDuration),
  ];
}

// The control's is not a check of the run itself.
function countChecks({ observations }: PageRecord): number {
  return observations.filter(({ channel }) => channel !== "control").length;
}

function toFlags(record: PageRecord): Detail[] {
  const { control, control_due: isControlDue, retention_days: days } = record;
  const kind = describeConnection(record)?.kind;
  const flags = [
    control !== null || isControlDue ? "control" : "",
    kind === "held" ? "hold" : "",
    kind === "followed" ? "stream" : "",
    days === null ? "" : `retention_days ${days}`,
  ].filter((flag) => flag !== "");
  return flags.length === 0 ? [] : [["Flags", flags.join(", ")]];
}

// No webhook reports the end of a held run.
function toDelivery(record: PageRecord): Detail[] {
  const connection = describeConnection(record);
  const label = <IsolatedText text={connection?.label ?? ""} />;
  if (connection?.kind === "held") return [["Connection", label]];
  const webhook = record.webhook?.type ?? "none received";
  const stream: Detail[] = connection === null ? [] : [["Stream", label]];
  return [...stream, ["Webhook", webhook]];
}

function toLinks(record: PageRecord): Detail[] {
  const metadata = Object.entries(record.metadata);
  return [
    ...toOptional("Previous response", record.previousId, (id) => (
      <a href={`/results/${id}`}>
        <LongId id={id} />
      </a>
    )),
    ...record.containers.map((id): Detail => ["Container", <LongId id={id} />]),
    ...metadata.map(([name, value]): Detail => [
      `metadata[${name}]`,
      <FilterLink name={`metadata[${name}]`} value={value} />,
    ]),
  ];
}

function LongId({ id }: { id: string }) {
  return (
    <code class="id" title={id}>
      <IsolatedText text={id} />
    </code>
  );
}

// A run that was given up may have another status by now.
function toStatusName({ status, verdict }: PageRecord): string {
  return verdict === "pending" || isTerminal(status) ? "Status at OpenAI" : "Last status seen";
}

// OpenAI's copy of a response that it has shown, and that it did not lose.
function toCopy(record: PageRecord): Detail[] {
  if (record.status === null || record.verdict === "gone") return [];
  const isDeleted = isDeletedAtOpenAI(record);
  return [["At OpenAI", isDeleted ? <strong>{ONLY_COPY}</strong> : <LogLink id={record.id} />]];
}

function Tokens({ usage }: { usage: Usage }) {
  const cached = usage.input_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.output_tokens_details?.reasoning_tokens ?? 0;
  return (
    <>
      {formatCount(usage.total_tokens)}{" "}
      <span class="muted">
        {formatCount(usage.input_tokens)} in{formatPart(cached, "cached")},{" "}
        {formatCount(usage.output_tokens)} out{formatPart(reasoning, "reasoning")}
      </span>
    </>
  );
}

function formatPart(value: number, name: string): string {
  return value === 0 ? "" : ` (${formatCount(value)} ${name})`;
}
