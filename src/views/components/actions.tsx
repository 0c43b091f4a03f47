// The actions on a run: each button is a form, so that it works without JavaScript.
import type { ResponseRecord } from "../../record/schema.ts";
import type { DescribedConnection } from "../text/connection.ts";
import { ForWriters } from "./write-access.tsx";

type Subject = Pick<ResponseRecord, "id" | "settled_at" | "verdict">;

/** The buttons. `connection` is null when the run was neither held nor followed. */
export function Actions(props: { record: Subject; connection: DescribedConnection | null }) {
  const held = props.connection?.kind === "held" ? props.connection.state : null;
  const { id, settled_at: settledAt, verdict } = props.record;
  const isPending = verdict === "pending";
  const isHeld = held === "open";
  return (
    <div class="actions">
      <ForWriters>
        <form method="post" action={`/results/${id}/refetch`}>
          <button>{settledAt === null ? "Refetch now" : "Refetch again"}</button>
        </form>
        {isPending && held !== "broke" ? <CancelForm id={id} isHeld={isHeld} /> : null}
      </ForWriters>
      {isPending ? null : (
        <button type="button" data-copy="report" hidden>
          Copy as bug report
        </button>
      )}
      <ForWriters>
        <DeleteForm id={id} isHeld={isPending && isHeld} />
      </ForWriters>
    </div>
  );
}

// OpenAI can't cancel a foreground run: only closing its connection may end it, so after a break there is no button.
function CancelForm(props: { id: string; isHeld: boolean }) {
  return (
    <form method="post" action={`/results/${props.id}/cancel`}>
      <button class="danger">
        {props.isHeld ? "Cancel: close the connection" : "Cancel the run"}
      </button>
    </form>
  );
}

function DeleteForm(props: { id: string; isHeld: boolean }) {
  return (
    <details>
      <summary>Delete…</summary>
      <form method="post" action={`/results/${props.id}/delete`}>
        <span>
          This deletes the record and its files permanently. OpenAI keeps its copy.
          {props.isHeld ? " It also closes the connection, which may end the run." : ""}
        </span>
        <button class="danger">Delete permanently</button>
      </form>
    </details>
  );
}
