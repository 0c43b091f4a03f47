// What was recorded, newest first.
import { RunVerdict } from "../../record/schema.ts";
import type { ListQuery } from "../../api/queries.ts";
import type { ListRow } from "../../storage/list-row.ts";
import type { ListPage } from "../../storage/kv.ts";
import { Chip } from "../components/chip.tsx";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { formatAge, millisecondsBetween, formatDuration, formatTime } from "../text/format.ts";
import { runHeadline, STATUSES, statusTone } from "../text/labels.ts";

const CURL_POST = `curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN"`;

/** The list. `url` is this Worker's own; `now` its clock in milliseconds. */
export function ListPage(props: { page: ListPage; query: ListQuery; now: number; url: string }) {
  const { page, query, now } = props;
  const filtered = query.verdict !== undefined || query.status !== undefined;
  const untouched = page.rows.length === 0 && !filtered && query.cursor === undefined;
  return (
    <Layout title="Results" here="results">
      <div class="row heading">
        <h1>Results</h1>
        <a class="button" href="/trigger">
          Start a response
        </a>
      </div>
      {untouched ? <EmptyList url={props.url} /> : <FilterForm query={query} />}
      {page.rows.length === 0 && !untouched ? <NoMatch older={page.cursor !== null} /> : null}
      <ol class="results">
        {page.rows.map((row) => (
          <ResultRow row={row} now={now} />
        ))}
      </ol>
      <Pagination query={query} cursor={page.cursor} />
    </Layout>
  );
}

function EmptyList(props: { url: string }) {
  return (
    <div class="card empty">
      <h2>Nothing is recorded yet</h2>
      <p>
        Start a response, and it appears here with what its code printed. Responses that other
        programs start in the same OpenAI project appear too, once their webhook arrives.
      </p>
      <p>
        <a class="button main" href="/trigger">
          Start the first one
        </a>
      </p>
      <p>Or from a shell:</p>
      <pre class="printed" tabindex={0} role="group" aria-label="The same as a command">
        <code id="first">{`${CURL_POST} ${props.url}/trigger`}</code>
      </pre>
      <button type="button" data-copy="first" hidden>
        Copy
      </button>
    </div>
  );
}

function NoMatch(props: { older: boolean }) {
  return (
    <p class="card empty">
      Nothing on this page fits the query.
      {props.older ? " There are older ones: go on below." : ""}
    </p>
  );
}

function FilterForm(props: { query: ListQuery }) {
  const { query } = props;
  return (
    <form class="filter" method="get" action="/results">
      <FilterSelect name="verdict" options={RunVerdict.options} chosen={query.verdict} />
      <FilterSelect name="status" options={STATUSES} chosen={query.status} />
      <button>Filter</button>
      {query.verdict === undefined && query.status === undefined ? null : (
        <a href="/results">Clear</a>
      )}
    </form>
  );
}

function FilterSelect(props: { name: string; options: string[]; chosen: string | undefined }) {
  const { name, options, chosen } = props;
  return (
    <label>
      <span>{name}</span>
      <select name={name}>
        <option value="">any</option>
        {options.map((option) => (
          <option value={option} selected={option === chosen}>
            {option.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}

function ResultRow(props: { row: ListRow; now: number }) {
  const { row, now } = props;
  const { tone, title } = runHeadline(row);
  const ran = millisecondsBetween(row.created_at, row.completed_at);
  return (
    <li>
      <div class="asked">
        <a href={`/results/${row.id}`}>
          <IsolatedText text={row.first_line === "" ? row.id : row.first_line} />
        </a>
        <code class="faint id">{row.id}</code>
      </div>
      <div class="chips">
        <Chip tone={tone}>{row.verdict}</Chip>
        <Chip tone={statusTone(row.status)}>{row.status ?? "unknown"}</Chip>
        {row.held ? <Chip tone="neutral">held</Chip> : null}
        <span class="unseen">{title}</span>
      </div>
      <dl class="figures">
        <Figure name="Model" value={row.model ?? "unknown"} />
        <Figure name="Calls" value={row.verdict === "pending" ? "–" : String(row.calls)} />
        <Figure name="Ran for" value={ran === null ? "–" : formatDuration(ran)} />
        <div>
          <dt>Age</dt>
          <dd>
            {row.created_at === null ? (
              "–"
            ) : (
              <time datetime={row.created_at} title={formatTime(row.created_at)}>
                {formatAge(row.created_at, now)}
              </time>
            )}
          </dd>
        </div>
      </dl>
    </li>
  );
}

function Figure(props: { name: string; value: string }) {
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
    <nav class="paging" aria-label="Pages">
      {query.cursor === undefined ? null : <a href={toPageUrl(query, null)}>Newest</a>}
      {cursor === null ? null : <a href={toPageUrl(query, cursor)}>Older</a>}
    </nav>
  );
}

function toPageUrl(query: ListQuery, cursor: string | null): string {
  const params = new URLSearchParams();
  if (cursor !== null) params.set("cursor", cursor);
  params.set("limit", String(query.limit));
  if (query.verdict !== undefined) params.set("verdict", query.verdict);
  if (query.status !== undefined) params.set("status", query.status);
  return `/results?${params.toString()}`;
}
