// What can be done with a run: buttons that are forms.
import type { ResponseRecord } from "../record.ts";

type Subject = Pick<ResponseRecord, "id" | "settled_at" | "verdict">;

/** The buttons. */
export function Actions(props: { record: Subject }) {
  const { id, settled_at: settled, verdict } = props.record;
  const pending = verdict === "pending";
  return (
    <div class="actions">
      <form method="post" action={`/results/${id}/look`}>
        <button>{settled === null ? "Look now" : "Look again"}</button>
      </form>
      {pending ? <Cancel id={id} /> : null}
      {pending ? null : (
        <button type="button" data-copy="report" hidden>
          Copy as bug report
        </button>
      )}
      <Delete id={id} />
    </div>
  );
}

function Cancel(props: { id: string }) {
  return (
    <form method="post" action={`/results/${props.id}/cancel`}>
      <button class="risky">Cancel the run</button>
    </form>
  );
}

function Delete(props: { id: string }) {
  return (
    <details>
      <summary>Delete…</summary>
      <form method="post" action={`/results/${props.id}/delete`}>
        <span>The record and its files are gone for good; OpenAI's copy stays.</span>
        <button class="risky">Delete for good</button>
      </form>
    </details>
  );
}
