// The actions on a run. What changes something is a form, so that it works without JavaScript.
import type { PageRecord } from "../../api/answers/representation.ts";
import { controlOutputsPath } from "../../record/calls/cure.ts";
import { isDeletedAtOpenAI } from "../../record/observed/deleted.ts";
import { ForWriters } from "../components/write-access.tsx";
import { describeConnection, isUnseen } from "../text/connection.ts";
import { isReportable } from "../text/bug-report.ts";
import { ONLY_COPY } from "../text/labels.ts";

type Props = { record: PageRecord };

/** The buttons. */
export function Actions({ record }: Props) {
  const { id, settled_at: settledAt } = record;
  return (
    <div class="actions">
      <ForWriters>
        <form method="post" action={`/results/${id}/refetch`}>
          <button>{settledAt === null ? "Check now" : "Check again"}</button>
        </form>
        <CancelForm record={record} />
        <RunAgain record={record} />
      </ForWriters>
      {isReportable(record) ? (
        <button type="button" data-copy="report" hidden>
          Copy as bug report
        </button>
      ) : (
        <button type="button" data-copy-url={`/results/${id}`} hidden>
          Copy link
        </button>
      )}
      <ForWriters>
        <DeleteForm record={record} />
      </ForWriters>
    </div>
  );
}

/** What to do about a run whose control had the outputs that it lost; empty for every other run. */
export function LostActions({ record }: Props) {
  const controlPath = findLostOutputs(record);
  if (controlPath === null) return null;
  return (
    <div class="actions">
      <button type="button" data-copy-from={controlPath} hidden>
        Copy the control's outputs
      </button>
      <ForWriters>
        <a class="button primary" href={toFormUrl(record.id, "hold")}>
          Run held
        </a>
      </ForWriters>
    </div>
  );
}

function findLostOutputs(record: PageRecord): string | null {
  return record.verdict === "lost" ? controlOutputsPath(record) : null;
}

// Links to the form with the run's request. It starts nothing by itself.
function RunAgain({ record }: Props) {
  const { id, verdict, held, control, control_due } = record;
  if (verdict === "pending" || verdict === "not_found") return null;
  return (
    <>
      <a class="button" href={toFormUrl(id)}>
        Run again
      </a>
      {held === null && findLostOutputs(record) === null ? (
        <a class="button" href={toFormUrl(id, "hold")}>
          Run held
        </a>
      ) : null}
      {control === null && !control_due ? (
        <a class="button" href={toFormUrl(id, "control")}>
          Run with control
        </a>
      ) : null}
    </>
  );
}

function toFormUrl(id: string, flag?: "hold" | "control"): string {
  const from = `/trigger?from=${encodeURIComponent(id)}`;
  return flag === undefined ? from : `${from}&${flag}=on`;
}

// OpenAI can't cancel a foreground run: only closing its connection may end it, so after a break there is no button.
function CancelForm({ record }: Props) {
  const held = describeHeld(record);
  if (record.verdict !== "pending" || held === "broke" || isUnseen(record)) return null;
  return (
    <form method="post" action={`/results/${record.id}/cancel`}>
      <button class="danger">
        {held === "open" ? "Cancel: close the connection" : "Cancel the run"}
      </button>
    </form>
  );
}

function DeleteForm({ record }: Props) {
  const closesConnection = record.verdict === "pending" && describeHeld(record) === "open";
  return (
    <details>
      <summary>Delete…</summary>
      <form method="post" action={`/results/${record.id}/delete`}>
        <span>
          This deletes the record and its files permanently. {describeCopy(record)}
          {closesConnection ? " It also closes the connection, which may end the run." : ""}
        </span>
        <button class="danger">Delete permanently</button>
      </form>
    </details>
  );
}

function describeCopy(record: PageRecord): string {
  if (record.verdict === "gone" || record.verdict === "not_found") return "";
  return isDeletedAtOpenAI(record) ? `${ONLY_COPY}.` : "OpenAI keeps its copy.";
}

function describeHeld(record: PageRecord) {
  const connection = describeConnection(record);
  return connection?.kind === "held" ? connection.state : null;
}
