// The details of a run in a grid: model, times, tokens, how its end was reported.
import type { Child } from "hono/jsx";
import type { PageResponse, Usage } from "../../api/answers/page-response.ts";
import type { ResponseRecord } from "../../record/schema.ts";
import { formatCount, formatDuration, formatTime, millisecondsBetween } from "../text/format.ts";
import { describeConnection } from "../text/connection.ts";
import { STARTED_BY } from "../text/labels.ts";
import { describeNotification } from "../text/notification.ts";
import { IsolatedText } from "./safe-text.tsx";

type Subject = Omit<ResponseRecord, "response">;

/** The details of a run. */
export function RunDetails(props: { record: Subject; response: PageResponse }) {
  const { record, response } = props;
  const ranMs = millisecondsBetween(record.created_at, record.completed_at);
  const storedAfterMs = millisecondsBetween(record.created_at, record.recorded_at);
  const details: [string, Child][] = [
    ["Model", record.model === null ? "unknown" : <IsolatedText text={record.model} />],
    ["Created", record.created_at === null ? "unknown" : <Time at={record.created_at} />],
    ["Ran for", ranMs === null ? "–" : formatDuration(ranMs)],
    ["Stored after", storedAfterMs === null ? "not yet" : formatDuration(storedAfterMs)],
    ["Tokens", formatTokens(response.usage)],
    ["Observations", String(countObservations(record))],
    ["Started by", STARTED_BY[record.started_by]],
    ...toDeliveryDetails(record),
    ...toNotificationDetails(record),
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

function Time(props: { at: string }) {
  return <time datetime={props.at}>{formatTime(props.at)}</time>;
}

// The control's is not an observation of the run itself.
function countObservations(record: Subject): number {
  return record.observations.filter(({ channel }) => channel !== "control").length;
}

// No webhook reports the end of a held run.
function toDeliveryDetails(record: Subject): [string, Child][] {
  const connection = describeConnection(record);
  const label = <IsolatedText text={connection?.label ?? ""} />;
  if (connection?.kind === "held") return [["Connection", label]];
  const webhook = record.webhook === null ? "none received" : record.webhook.type;
  const stream: [string, Child][] = connection === null ? [] : [["Stream", label]];
  return [...stream, ["Webhook", webhook]];
}

function toNotificationDetails({ notification }: Subject): [string, Child][] {
  return notification === null ? [] : [["Notification", describeNotification(notification)]];
}

function formatTokens(usage: Usage | null): Child {
  if (usage === null) return "–";
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
