// The list of results, newest first.
import { RunVerdict } from "../../record/schema.ts";
import { toFilterParams, type ListQuery } from "../../api/queries.ts";
import type { ListPage } from "../../objects/catalog/client.ts";
import type { CatalogRow, UnreadableRow as UnreadableRun } from "../../objects/catalog/row.ts";
import { Chip } from "../components/chip.tsx";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { ForWriters } from "../components/write-access.tsx";
import { formatAge, millisecondsBetween, formatDuration, formatTime } from "../text/format.ts";
import { runHeadline, STATUSES, statusTone } from "../text/labels.ts";

const CURL_POST = `curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN"`;

/** A page of the list. `url` is the Worker's origin. */
export function ResultListPage(props: {
  page: ListPage;
  query: ListQuery;
  nowMs: number;
  url: string;
}) {
  const { page, query, nowMs } = props;
  const isEmpty = page.rows.length === 0;
  const isFirstUse = isEmpty && !hasFilter(query) && query.cursor === undefined;
  return (
    <Layout title="Results" current="results">
      <div class="row page-heading">
        <h1>Results</h1>
        <ForWriters>
          <a class="button" href="/trigger">
            Start a response
          </a>
        </ForWriters>
      </div>
      {isFirstUse ? <FirstUse url={props.url} /> : <FilterForm query={query} />}
      {isEmpty && !isFirstUse ? <NoMatch query={query} /> : null}
      <ol class="results">
        {page.rows.map((row) =>
          "error" in row ? <UnreadableRow row={row} /> : <ResultRow row={row} nowMs={nowMs} />,
        )}
      </ol>
      <Pagination query={query} cursor={page.cursor} />
    </Layout>
  );
}

function FirstUse(props: { url: string }) {
  return (
    <div class="card empty-state">
      <h2>Nothing is recorded yet</h2>
      <p>
        Start a response, and it appears here with the outputs of its code. Responses that other
        programs start in the same OpenAI project appear when their webhooks arrive.
      </p>
      <ForWriters>
        <p>
          <a class="button primary" href="/trigger">
            Start the first response
          </a>
        </p>
        <p>Or from a shell:</p>
        <pre class="preformatted" tabindex={0} role="group" aria-label="The request as curl">
          <code id="first-command">{`${CURL_POST} ${props.url}/trigger`}</code>
        </pre>
        <button type="button" data-copy="first-command" hidden>
          Copy
        </button>
      </ForWriters>
    </div>
  );
}

function NoMatch({ query }: { query: ListQuery }) {
  const text = hasFilter(query) ? "No result matches the filter." : "There are no older results.";
  return <p class="card empty-state">{text}</p>;
}

function FilterForm(props: { query: ListQuery }) {
  const { query } = props;
  return (
    <form class="filter" method="get" action="/results">
      <FilterSelect name="verdict" options={RunVerdict.options} selected={query.verdict} />
      <FilterSelect name="status" options={STATUSES} selected={query.status} />
      {toFilterParams(query)
        .filter(([name]) => name !== "verdict" && name !== "status")
        .map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
      <button>Filter</button>
      {hasFilter(query) ? <a href="/results">Clear</a> : null}
    </form>
  );
}

function hasFilter(query: ListQuery): boolean {
  return toFilterParams(query).length > 0;
}

function FilterSelect(props: { name: string; options: string[]; selected: string | undefined }) {
  const { name, options, selected } = props;
  return (
    <label>
      <span>{name}</span>
      <select name={name}>
        <option value="">any</option>
        {options.map((option) => (
          <option value={option} selected={option === selected}>
            {option.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}

function UnreadableRow({ row }: { row: UnreadableRun }) {
  return (
    <li>
      <div class="result-title">
        <a href={`/results/${row.id}`}>{row.id}</a>
      </div>
      <p>{row.error.message}</p>
    </li>
  );
}

function ResultRow(props: { row: CatalogRow; nowMs: number }) {
  const { row, nowMs } = props;
  const { tone, title } = runHeadline(row);
  const ranMs = millisecondsBetween(row.created_at, row.completed_at);
  return (
    <li>
      <div class="result-title">
        <a href={`/results/${row.id}`}>
          <IsolatedText text={row.first_line === "" ? row.id : row.first_line} />
        </a>
        <code class="muted id">{row.id}</code>
      </div>
      <div class="chips">
        <Chip tone={tone}>{row.verdict}</Chip>
        <Chip tone={statusTone(row.status)}>{row.status ?? "unknown"}</Chip>
        {row.held ? <Chip tone="neutral">held</Chip> : null}
        <span class="visually-hidden">{title}</span>
      </div>
      <dl class="metrics">
        <Metric name="Model" value={row.model ?? "unknown"} />
        <Metric name="Calls" value={row.verdict === "pending" ? "–" : String(row.calls)} />
        <Metric name="Ran for" value={ranMs === null ? "–" : formatDuration(ranMs)} />
        <div>
          <dt>Age</dt>
          <dd>
            {row.created_at === null ? (
              "–"
            ) : (
              <time datetime={row.created_at} title={formatTime(row.created_at)}>
                {formatAge(row.created_at, nowMs)}
              </time>
            )}
          </dd>
        </div>
      </dl>
    </li>
  );
}

function Metric(props: { name: string; value: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <IsolatedText text={props.value} />
      </dd>
    </div>
  );
}

function Pagination(props: { query: ListQuery; cursor: string | null }) {
  const { query, cursor } = props;
  if (cursor === null && query.cursor === undefined) return null;
  return (
    <nav class="pagination" aria-label="Pages">
      {query.cursor === undefined ? null : <a href={toPageUrl(query, null)}>Newest</a>}
      {cursor === null ? null : <a href={toPageUrl(query, cursor)}>Older</a>}
    </nav>
  );
}

function toPageUrl(query: ListQuery, cursor: string | null): string {
  const params = new URLSearchParams(toFilterParams(query));
  params.set("limit", String(query.limit));
  if (cursor !== null) params.set("cursor", cursor);
  return `/results?${params.toString()}`;
}
