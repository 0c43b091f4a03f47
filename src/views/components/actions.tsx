// What can be done with a run: buttons that are forms.
import type { ResponseRecord } from "../../record/schema.ts";
import type { HeldConnection } from "../text/held-connection.ts";

type Subject = Pick<ResponseRecord, "id" | "settled_at" | "verdict">;

type State = HeldConnection["state"] | null;

/** The buttons. `connection` is null where none was held. */
export function Actions(props: { record: Subject; connection: State }) {
  const { connection } = props;
  const { id, settled_at: settled, verdict } = props.record;
  const pending = verdict === "pending";
  return (
    <div class="actions">
      <form method="post" action={`/results/${id}/refetch`}>
        <button>{settled === null ? "Look now" : "Look again"}</button>
      </form>
      {pending && connection !== "broke" ? <Cancel id={id} held={connection === "open"} /> : null}
      {pending ? null : (
        <button type="button" data-copy="report" hidden>
          Copy as bug report
        </button>
      )}
      <Delete id={id} held={pending && connection === "open"} />
    </div>
  );
}

// OpenAI cancels no run in the foreground: after a break there is nothing left to cancel it by.
function Cancel(props: { id: string; held: boolean }) {
  return (
    <form method="post" action={`/results/${props.id}/cancel`}>
      <button class="risky">
        {props.held ? "Cancel: close the connection" : "Cancel the run"}
      </button>
    </form>
  );
}

function Delete(props: { id: string; held: boolean }) {
  return (
    <details>
      <summary>Delete…</summary>
      <form method="post" action={`/results/${props.id}/delete`}>
        <span>
          The record and its files are gone for good; OpenAI's copy stays.
          {props.held ? " The connection is closed, which may end the run." : ""}
        </span>
        <button class="risky">Delete for good</button>
      </form>
    </details>
  );
}
