// The progress of a run in flight. The page's script updates it live; without JavaScript it shows the stage that the record has reached.
import type { ResponseRecord } from "../../record/schema.ts";
import { StatusNote } from "./status-note.tsx";
import { formatDuration } from "../text/format.ts";
import { describeConnection, type DescribedConnection } from "../text/connection.ts";
import { CONNECTION_STAGES, STAGES } from "../text/labels.ts";

type Subject = Omit<ResponseRecord, "response">;

/** The progress of a run. */
export function Progress(props: { record: Subject; nowMs: number }) {
  const { record, nowMs } = props;
  const elapsedMs =
    record.created_at === null ? 0 : Math.max(0, nowMs - Date.parse(record.created_at));
  const connection = describeConnection(record);
  const stage = toStage(record, connection);
  const stages = connection === null ? STAGES : CONNECTION_STAGES[connection.kind];
  return (
    <section
      class="card progress"
      aria-label="Progress"
      data-follow={`/results/${record.id}/events`}
      data-elapsed-ms={String(elapsedMs)}
    >
      <div class="row">
        <span class="pulse" aria-hidden="true"></span>
        <strong data-current-event aria-live="polite">
          {stages[stage - 1] ?? ""}
        </strong>
        <span class="elapsed" data-clock>
          {formatDuration(elapsedMs)}
        </span>
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
      <noscript>
        <p class="note">
          Without JavaScript this page does not follow the run.{" "}
          <a href={`/results/${record.id}`}>Refresh</a>
        </p>
      </noscript>
    </section>
  );
}

function toStage(record: Subject, connection: DescribedConnection | null): number {
  if (record.verdict !== "pending") return 3;
  if (connection?.state === "open") return 2;
  return record.observations.length > 0 ? 3 : 2;
}
