// A response as it happened: its items in their order.
import type { PageRecord } from "../../api/answers/representation.ts";
import type { PageResponse } from "../../api/answers/page-response.ts";
import { LogLink } from "../components/log-link.tsx";
import { CONTROL_FAILURES } from "../text/labels.ts";
import { escapeHidden } from "../text/printed/hidden-characters.ts";
import { shareBudget } from "../text/page-budget.ts";
import { toTextSizes } from "./code-interpreter.tsx";
import { toEntries, type Entry } from "./entries.ts";
import { Item } from "./item.tsx";
import type { PageContext } from "./part.ts";

/** The sizes of all texts on a page together, so that the page stays under 60 KB on the wire: of messages, and of the rest. */
const MAX_MESSAGES_BYTES = 16_000;
const MAX_OTHER_BYTES = 22_000;

/** The list of items; nothing for a run of which nothing came yet. */
export function ItemList(props: { record: PageRecord; response: PageResponse }) {
  const { record, response } = props;
  const entries = toEntries(record, response);
  if (entries.length === 0 && record.control === null) return null;
  const page = toContext(record, entries);
  const { after, count } = response.omitted;
  const toItem = (entry: Entry, index: number) => (
    <Item
      entry={entry}
      name={`item-${index + 1}`}
      page={page}
      isCompared={(record.control?.calls.length ?? 0) > 0}
      hasEnded={record.verdict !== "pending"}
    />
  );
  const items = entries.map(toItem);
  return (
    <section class="card" aria-labelledby="output">
      <h2 id="output">Output</h2>
      <ControlNote control={record.control} />
      <ol class="items">
        {count === 0 ? items : items.slice(0, after)}
        {count === 0 ? null : <OmittedItems count={count} id={record.id} />}
        {count === 0 ? null : items.slice(after)}
      </ol>
    </section>
  );
}

function OmittedItems(props: { count: number; id: string }) {
  return (
    <li class="item line">
      <p class="item-body">
        {props.count} more items are in the{" "}
        <a href={`/results/${props.id}/response`}>raw response</a>.
      </p>
    </li>
  );
}

// The control is the run that a call is compared with.
function ControlNote({ control }: Pick<PageRecord, "control">) {
  if (control === null) return null;
  const failure = CONTROL_FAILURES[control.status ?? ""] ?? null;
  const hasCalls = control.calls.length > 0;
  return (
    <p class="explanation">
      The control is the same request with background: false; its status is{" "}
      {escapeHidden(control.status ?? "unknown")}. {failure}
      {failure === null && !hasCalls ? "It made no calls." : null}
      {control.id === null ? null : (
        <>
          {" "}
          <code>{control.id}</code> <LogLink id={control.id} />
        </>
      )}
    </p>
  );
}

function toContext(record: PageRecord, entries: Entry[]): PageContext {
  const messages = entries.filter(({ item }) => item.type === "message");
  const others = entries.filter(({ item }) => item.type !== "message");
  return {
    id: record.id,
    files: record.files,
    maxBytes: shareBudget(others.flatMap(toSizes), MAX_OTHER_BYTES),
    maxMessageBytes: shareBudget(
      messages.map(({ item }) => item.bytes),
      MAX_MESSAGES_BYTES,
    ),
  };
}

function toSizes({ item, output, call, control }: Entry): number[] {
  const calls = [call, control].filter((one) => one !== null);
  if (calls.length > 0) return calls.flatMap(toTextSizes);
  return [item.bytes, output?.bytes ?? 0];
}
