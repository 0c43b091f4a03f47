// A run in flight: what the page's script brings up to date, and what stands there without it.
import type { ResponseRecord } from "../../record/schema.ts";
import { describeConnection } from "../text/held-connection.ts";
import { formatDuration } from "../text/format.ts";
import { HELD_STAGES, STAGES } from "../text/labels.ts";

/** The progress of a run. */
export function Progress(props: { record: Omit<ResponseRecord, "response">; now: number }) {
  const { record, now } = props;
  const elapsed = record.created_at === null ? 0 : now - Date.parse(record.created_at);
  const stage = currentStage(record);
  const stages = record.held === null ? STAGES : HELD_STAGES;
  return (
    <section
      class="card live"
      aria-label="Progress"
      data-follow={`/results/${record.id}/events`}
      data-elapsed={String(Math.max(0, elapsed))}
    >
      <div class="row">
        <span class="pulse" aria-hidden="true"></span>
        <strong data-now aria-live="polite">
          {stages[stage - 1] ?? ""}
        </strong>
        <span class="elapsed" data-clock>
          {formatDuration(elapsed)}
        </span>
      </div>
      <progress max={stages.length} value={stage} aria-label="Known steps"></progress>
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
          This page does not follow the run without script.{" "}
          <a href={`/results/${record.id}`}>Refresh</a>
        </p>
      </noscript>
    </section>
  );
}

function currentStage(record: Omit<ResponseRecord, "response">): number {
  if (record.verdict !== "pending") return 3;
  if (describeConnection(record)?.state === "open") return 2;
  return record.observations.length > 0 ? 3 : 2;
}
