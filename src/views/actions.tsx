// What can be done with a run: buttons that are forms.
import type { ResponseRecord } from "../record.ts";

type Action = { to: string; label: string; risk?: string; when: (settled: boolean) => boolean };

const ACTIONS: readonly Action[] = [{ to: "look", label: "Look now", when: (settled) => !settled }];

/** The buttons. */
export function Actions(props: { record: Pick<ResponseRecord, "id" | "settled_at" | "verdict"> }) {
  const { id, settled_at: settled, verdict } = props.record;
  return (
    <div class="actions">
      {ACTIONS.filter((action) => action.when(settled !== null)).map((action) => (
        <form method="post" action={`/results/${id}/${action.to}`}>
          <button class={action.risk === undefined ? "" : "risky"}>{action.label}</button>
        </form>
      ))}
      {verdict === "pending" ? null : (
        <button type="button" data-copy="report" hidden>
          Copy as bug report
        </button>
      )}
    </div>
  );
}
