// What happens to a run whose page is open. The page's script updates it live; without JavaScript it shows what was known when the page was made.
import type { Child } from "hono/jsx";
import type { NextCheck } from "../../record/observed/next-check.ts";
import type { PageRecord } from "../../api/answers/representation.ts";
import { formatDuration, formatTimeOfDay } from "../text/format.ts";
import { describeConnection, type DescribedConnection } from "../text/connection.ts";
import { CONNECTION_STAGES, STAGES } from "../text/labels.ts";
import { Time } from "../components/time.tsx";
import { StatusNote } from "./status-note.tsx";

type Props = {
  record: PageRecord;
  /** The next planned check of a run that has ended. */
  nextCheck: NextCheck | null;
  nowMs: number;
};

/** The progress of a run: stages and events until its verdict is known, then one line. */
export function Progress(props: Props) {
  return props.record.verdict === "pending" ? <Stages {...props} /> : <NextStep {...props} />;
}

function NextStep({ record, nextCheck, nowMs }: Props) {
  return (
    <Card record={record} nowMs={nowMs} isLine>
      <div class="row">
        <Pulse />
        <strong>
          <NextStepText record={record} nextCheck={nextCheck} nowMs={nowMs} />
        </strong>
        <NoScript id={record.id} />
      </div>
    </Card>
  );
}

function NextStepText({ record, nextCheck, nowMs }: Props) {
  if (nextCheck === null) return <>{describeWait(record)}</>;
  const { at, number, total } = nextCheck;
  const leftMs = Date.parse(at) - nowMs;
  return (
    <>
      Checking again{" "}
      <span data-countdown-ms={String(leftMs)}>
        at <Time at={at}>{formatTimeOfDay(at)}</Time>
      </span>
      , {number} of {total}
    </>
  );
}

function describeWait(record: PageRecord): string {
  const connection = describeConnection(record);
  if (connection?.state === "open") {
    return `Reading what its ${connection.kind === "held" ? "connection" : "stream"} brought`;
  }
  return record.control_due ? "Waiting for the control" : "Checking now";
}

function Stages({ record, nowMs }: Props) {
  const connection = describeConnection(record);
  const stage = toStage(record, connection);
  const stages = connection === null ? STAGES : CONNECTION_STAGES[connection.kind];
  return (
    <Card record={record} nowMs={nowMs}>
      <div class="row">
        <Pulse />
        <strong data-current-event aria-live="polite">
          {stages[stage - 1] ?? ""}
        </strong>
        {record.created_at === null ? null : (
          <span class="elapsed" data-clock>
            {formatDuration(toElapsedMs(record, nowMs))}
          </span>
        )}
      </div>
      <StatusNote record={record} nowMs={nowMs} />
      <progress max={stages.length} value={stage} aria-label="Stages reached"></progress>
      <ol class="stages">
        {stages.map((name, index) => (
          <li
            class={index < stage ? "reached" : ""}
            aria-current={index + 1 === stage ? "step" : undefined}
          >
            {name}
          </li>
        ))}
      </ol>
      <ol class="events" data-events></ol>
      <NoScript id={record.id} />
    </Card>
  );
}

function Card(props: { record: PageRecord; nowMs: number; isLine?: boolean; children: Child }) {
  const { record } = props;
  return (
    <section
      class={props.isLine === true ? "card progress line" : "card progress"}
      aria-label="Progress"
      data-follow={`/results/${record.id}/events`}
      data-elapsed-ms={String(toElapsedMs(record, props.nowMs))}
    >
      {props.children}
      <p class="note" data-connection role="status"></p>
    </section>
  );
}

function Pulse() {
  return <span class="pulse" aria-hidden="true"></span>;
}

function NoScript(props: { id: string }) {
  return (
    <noscript>
      <p class="note">
        Without JavaScript this page does not follow the run.{" "}
        <a href={`/results/${props.id}`}>Refresh</a>
      </p>
    </noscript>
  );
}

function toElapsedMs({ created_at: createdAt }: PageRecord, nowMs: number): number {
  return createdAt === null ? 0 : Math.max(0, nowMs - Date.parse(createdAt));
}

function toStage(record: PageRecord, connection: DescribedConnection | null): number {
  if (connection?.state === "open") return 2;
  return record.observations.length > 0 ? 3 : 2;
}
