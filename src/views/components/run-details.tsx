// The figures of a run, in a grid.
import type { Child } from "hono/jsx";
import type { ResponseRecord } from "../../record/schema.ts";
import type { ModelAnswer } from "../text/model-answer.ts";
import { describeConnection } from "../text/held-connection.ts";
import { IsolatedText } from "./safe-text.tsx";
import { millisecondsBetween, formatDuration, formatTime } from "../text/format.ts";
import { STARTED_BY } from "../text/labels.ts";

type Subject = Omit<ResponseRecord, "response">;

/** Model, tokens, times. */
export function RunDetails(props: { record: Subject; answer: ModelAnswer }) {
  const { record, answer } = props;
  const ran = millisecondsBetween(record.created_at, record.completed_at);
  const stored = millisecondsBetween(record.created_at, record.recorded_at);
  const connection = describeConnection(record);
  const facts: [string, Child][] = [
    ["Model", record.model === null ? "unknown" : <IsolatedText text={record.model} />],
    ["Created", record.created_at === null ? "unknown" : <Time at={record.created_at} />],
    ["Ran for", ran === null ? "–" : formatDuration(ran)],
    ["Stored after", stored === null ? "not yet" : formatDuration(stored)],
    ["Tokens", formatTokens(answer)],
    ["Looks", String(record.observations.filter((seen) => seen.channel !== "control").length)],
    ["Started by", STARTED_BY[record.started_by]],
    connection === null
      ? ["Webhook", record.webhook === null ? "none received" : record.webhook.type]
      : ["Connection", <IsolatedText text={connection.label} />],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A moment in UTC. */
export function Time(props: { at: string }) {
  return <time datetime={props.at}>{formatTime(props.at)}</time>;
}

function formatCount(value: number): string {
  return value.toLocaleString("en");
}

function formatTokens({ usage }: ModelAnswer): Child {
  if (usage === null) return "–";
  return (
    <>
      {formatCount(usage.total_tokens)}{" "}
      <span class="faint">
        {formatCount(usage.input_tokens)} in, {formatCount(usage.output_tokens)} out
      </span>
    </>
  );
}
