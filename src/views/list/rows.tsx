// The rows of the list: a table whose cells filter.
import type { ListQuery } from "../../api/queries.ts";
import type {
  CatalogRow,
  ListRow,
  UnreadableRow as UnreadableRun,
} from "../../objects/catalog/row.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { formatAge, formatDuration, formatTime, millisecondsBetween } from "../text/format.ts";
import {
  isImpliedStatus,
  RUN_VERDICTS,
  runHeadline,
  statusTone,
  toWords,
  type Tone,
} from "../text/labels.ts";
import { startedByLabel, toFilteredUrl } from "../text/list-filters.ts";

type RowProps = { row: CatalogRow; query: ListQuery; nowMs: number };

/** The table. `nowMs` is the time from which ages count. */
export function ResultTable(props: { rows: ListRow[]; query: ListQuery; nowMs: number }) {
  const { rows, query, nowMs } = props;
  return (
    <table class="results" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {["Run", "Verdict", "Model", "Calls", "Ran for", "Age"].map((heading) => (
            <th scope="col" role="columnheader">
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) =>
          "error" in row ? (
            <UnreadableRow row={row} />
          ) : (
            <ResultRow row={row} query={query} nowMs={nowMs} />
          ),
        )}
      </tbody>
    </table>
  );
}

function UnreadableRow({ row }: { row: UnreadableRun }) {
  return (
    <tr role="row" data-id={row.id}>
      <td role="cell" colspan={6}>
        <a class="run-link" href={`/results/${row.id}`}>
          {row.id}
        </a>
        <p class="hint">{row.error.message}</p>
      </td>
    </tr>
  );
}

// public/assets/list.js compares the state with that of the row as JSON.
function ResultRow({ row, query, nowMs }: RowProps) {
  const ranMs = millisecondsBetween(row.created_at, row.completed_at);
  return (
    <tr
      role="row"
      data-id={row.id}
      data-state={`${row.status} ${row.verdict} ${row.calls}`}
      data-in-flight={row.verdict === "pending" ? "" : undefined}
    >
      <td role="cell" class="run">
        <a class="run-link" href={`/results/${row.id}`}>
          <IsolatedText text={row.first_line === "" ? row.id : row.first_line} />
        </a>
        <RunDetails row={row} query={query} />
      </td>
      <td role="cell" class="chips">
        <RowChips row={row} query={query} />
      </td>
      <td role="cell" class="model">
        {row.model === null ? "–" : <FilterLink query={query} name="model" value={row.model} />}
      </td>
      <td role="cell" class="calls">
        {row.verdict === "pending" ? "–" : row.calls}
      </td>
      <td role="cell" class="ran">
        {ranMs === null ? "–" : formatDuration(ranMs)}
      </td>
      <td role="cell" class="age">
        <Age at={row.created_at} nowMs={nowMs} />
      </td>
    </tr>
  );
}

function RunDetails({ row, query }: Omit<RowProps, "nowMs">) {
  return (
    <p class="run-details">
      <code class="id">{row.id}</code>
      <FilterLink
        query={query}
        name="started_by"
        value={row.started_by}
        text={`by ${startedByLabel(row.started_by)}`}
      />
      {Object.entries(row.metadata).map(([key, value]) => (
        <FilterLink
          query={query}
          name={`metadata[${key}]`}
          value={value}
          text={`${key}=${value}`}
        />
      ))}
    </p>
  );
}

function RowChips({ row, query }: Omit<RowProps, "nowMs">) {
  const { verdict, status, held } = row;
  return (
    <>
      <FilterChip
        query={query}
        name="verdict"
        value={verdict}
        tone={RUN_VERDICTS[verdict].tone}
        title={runHeadline(row).title}
      />
      {status === null || isImpliedStatus(verdict, status) ? null : (
        <FilterChip query={query} name="status" value={status} tone={statusTone(status)} />
      )}
      {held ? (
        <FilterChip query={query} name="held" value="true" text="held" tone="neutral" />
      ) : null}
    </>
  );
}

type FilterLinkProps = { query: ListQuery; name: string; value: string; text?: string };

function FilterChip(props: FilterLinkProps & { tone: Tone; title?: string }) {
  const { query, name, value, text = toWords(value), tone, title } = props;
  return (
    <a class={`chip ${tone}`} href={toFilteredUrl(query, name, value)} title={title}>
      {text}
    </a>
  );
}

function FilterLink({ query, name, value, text = value }: FilterLinkProps) {
  return (
    <a class="filter-link" href={toFilteredUrl(query, name, value)} title={text}>
      <IsolatedText text={text} />
    </a>
  );
}

// public/assets/times.js counts on from data-age, whatever the reader's clock says.
function Age(props: { at: string | null; nowMs: number }) {
  const { at, nowMs } = props;
  if (at === null) return "–";
  const ageMs = nowMs - Date.parse(at);
  return (
    <time datetime={at} title={formatTime(at)} data-age={ageMs}>
      {formatAge(ageMs)}
    </time>
  );
}
