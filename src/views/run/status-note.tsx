// The status of a run in flight, and when OpenAI showed it. The page's script keeps it up to date.
import type { ResponseRecord } from "../../record/schema.ts";
import { Time } from "../components/time.tsx";
import { describeConnection } from "../text/connection.ts";
import { formatAge } from "../text/format.ts";
import { toWords } from "../text/labels.ts";
import { escapeHidden } from "../text/printed/hidden-characters.ts";

/** Says what OpenAI said of a run in flight. An open Connection has events of its own. */
export function StatusNote(props: { record: Omit<ResponseRecord, "response">; nowMs: number }) {
  const { record, nowMs } = props;
  const { status, status_at: at } = record;
  if (record.verdict !== "pending" || status === null || at === null) return null;
  if (describeConnection(record)?.state === "open") return null;
  const ageMs = Math.max(0, nowMs - Date.parse(at));
  return (
    <p class="note" data-status>
      <span data-status-name>{escapeHidden(toWords(status))}</span>, as OpenAI said at{" "}
      <Time at={at} /> (
      <time datetime={at} data-age={ageMs}>
        {formatAge(ageMs)}
      </time>
      )
    </p>
  );
}
