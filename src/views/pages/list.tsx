// What was recorded, newest first.
import { ResponseVerdict } from "../../record/schema.ts";
import type { Filter } from "../../http/routes/results.ts";
import type { Row } from "../../storage/list-row.ts";
import type { Page } from "../../storage/kv.ts";
import { Chip } from "../components/chip.tsx";
import { Layout } from "../components/layout.tsx";
import { Visible } from "../components/safe-text.tsx";
import { age, between, duration, moment } from "../text/format.ts";
import { headline, STATUSES, statusTone } from "../text/labels.ts";

const ASK = `curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN"`;

/** The list. `url` is this Worker's own; `now` its clock in milliseconds. */
export function ListPage(props: { page: Page; filter: Filter; now: number; url: string }) {
  const { page, filter, now } = props;
  const filtered = filter.verdict !== undefined || filter.status !== undefined;
  const untouched = page.rows.length === 0 && !filtered && filter.cursor === undefined;
  return (
    <Layout title="Results" here="results">
      <div class="row heading">
        <h1>Results</h1>
        <a class="button" href="/trigger">
          Start a response
        </a>
      </div>
      {untouched ? <Nothing url={props.url} /> : <FilterForm filter={filter} />}
      {page.rows.length === 0 && !untouched ? <NoMatch older={page.cursor !== null} /> : null}
      <ol class="results">
        {page.rows.map((row) => (
          <ResultRow row={row} now={now} />
        ))}
      </ol>
      <Paging filter={filter} cursor={page.cursor} />
    </Layout>
  );
}

function Nothing(props: { url: string }) {
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
        <code id="first">{`${ASK} ${props.url}/trigger`}</code>
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
      Nothing on this page fits the filter.
      {props.older ? " There are older ones: go on below." : ""}
    </p>
  );
}

function FilterForm(props: { filter: Filter }) {
  const { filter } = props;
  return (
    <form class="filter" method="get" action="/results">
      <Choice name="verdict" options={ResponseVerdict.options} chosen={filter.verdict} />
      <Choice name="status" options={STATUSES} chosen={filter.status} />
      <button>Filter</button>
      {filter.verdict === undefined && filter.status === undefined ? null : (
        <a href="/results">Clear</a>
      )}
    </form>
  );
}

function Choice(props: { name: string; options: string[]; chosen: string | undefined }) {
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

function ResultRow(props: { row: Row; now: number }) {
  const { row, now } = props;
  const { tone, title } = headline(row);
  const ran = between(row.created_at, row.completed_at);
  return (
    <li>
      <div class="asked">
        <a href={`/results/${row.id}`}>
          <Visible text={row.first_line === "" ? row.id : row.first_line} />
        </a>
        <code class="faint id">{row.id}</code>
      </div>
      <div class="chips">
        <Chip tone={tone}>{row.verdict}</Chip>
        <Chip tone={statusTone(row.status)}>{row.status ?? "unknown"}</Chip>
        {row.held ? <Chip tone="calm">held</Chip> : null}
        <span class="unseen">{title}</span>
      </div>
      <dl class="figures">
        <Figure name="Model" value={row.model ?? "unknown"} />
        <Figure name="Calls" value={row.verdict === "pending" ? "–" : String(row.calls)} />
        <Figure name="Ran for" value={ran === null ? "–" : duration(ran)} />
        <div>
          <dt>Age</dt>
          <dd>
            {row.created_at === null ? (
              "–"
            ) : (
              <time datetime={row.created_at} title={moment(row.created_at)}>
                {age(row.created_at, now)}
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
        <Visible text={props.value} />
      </dd>
    </div>
  );
}

function Paging(props: { filter: Filter; cursor: string | null }) {
  const { filter, cursor } = props;
  if (cursor === null && filter.cursor === undefined) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {filter.cursor === undefined ? null : <a href={link(filter, null)}>Newest</a>}
      {cursor === null ? null : <a href={link(filter, cursor)}>Older</a>}
    </nav>
  );
}

function link(filter: Filter, cursor: string | null): string {
  const query = new URLSearchParams();
  if (cursor !== null) query.set("cursor", cursor);
  query.set("limit", String(filter.limit));
  if (filter.verdict !== undefined) query.set("verdict", filter.verdict);
  if (filter.status !== undefined) query.set("status", filter.status);
  return `/results?${query.toString()}`;
}
