// The figures of a run, in a grid.
import type { Child } from "hono/jsx";
import type { ResponseRecord } from "../../record/schema.ts";
import type { Answer } from "../text/model-answer.ts";
import { connectionOf } from "./held-connection.tsx";
import { Visible } from "./safe-text.tsx";
import { between, duration, moment } from "../text/format.ts";
import { STARTERS } from "../text/labels.ts";

type Subject = Omit<ResponseRecord, "response">;

/** Model, tokens, times. */
export function Facts(props: { record: Subject; answer: Answer }) {
  const { record, answer } = props;
  const ran = between(record.created_at, record.completed_at);
  const stored = between(record.created_at, record.recorded_at);
  const connection = connectionOf(record);
  const facts: [string, Child][] = [
    ["Model", record.model === null ? "unknown" : <Visible text={record.model} />],
    ["Created", record.created_at === null ? "unknown" : <Moment at={record.created_at} />],
    ["Ran for", ran === null ? "–" : duration(ran)],
    ["Stored after", stored === null ? "not yet" : duration(stored)],
    ["Tokens", tokens(answer)],
    ["Looks", String(record.observations.filter((seen) => seen.channel !== "control").length)],
    ["Started by", STARTERS[record.started_by]],
    connection === null
      ? ["Webhook", record.webhook === null ? "none received" : record.webhook.type]
      : ["Connection", <Visible text={connection.words} />],
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
export function Moment(props: { at: string }) {
  return <time datetime={props.at}>{moment(props.at)}</time>;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function tokens({ usage }: Answer): Child {
  if (usage === null) return "–";
  return (
    <>
      {count(usage.total_tokens)}{" "}
      <span class="faint">
        {count(usage.input_tokens)} in, {count(usage.output_tokens)} out
      </span>
    </>
  );
}
