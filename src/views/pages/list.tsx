// The list of results, newest first.
import { toFilterParams, type ListQuery } from "../../api/queries.ts";
import type { ListPage } from "../../objects/catalog/client.ts";
import { Layout } from "../components/layout.tsx";
import { ForWriters } from "../components/write-access.tsx";
import { FirstUse, NoRows } from "../list/empty.tsx";
import { FilterForm } from "../list/filter-form.tsx";
import { ActiveFilters, VerdictLinks } from "../list/filters.tsx";
import { ResultTable } from "../list/rows.tsx";
import { toExportUrl, toPageUrl } from "../text/list-filters.ts";
import { describeTotal } from "../text/run-counts.ts";

/** A page of the list. `url` is the Worker's origin. */
export function ResultListPage(props: {
  page: ListPage;
  query: ListQuery;
  nowMs: number;
  url: string;
}) {
  const { page, query, nowMs } = props;
  const { rows, overview } = page;
  const isEmpty = rows.length === 0;
  const isFirstUse = isEmpty && toFilterParams(query).length === 0 && query.cursor === undefined;
  return (
    <Layout title="Results" current="results" script="list">
      <div class="row page-heading">
        <h1>Results</h1>
        {overview === null || isFirstUse ? null : (
          <p class="muted" id="total">
            {describeTotal(overview, query.verdict)}
          </p>
        )}
        <ForWriters>
          <a class="button" href="/trigger">
            New run
          </a>
        </ForWriters>
      </div>
      {isFirstUse ? (
        <FirstUse url={props.url} />
      ) : (
        <>
          <FilterForm query={query} models={overview?.models ?? []} />
          <ActiveFilters query={query} />
          <VerdictLinks query={query} overview={overview} />
        </>
      )}
      <button type="button" id="new-runs" hidden></button>
      {isEmpty && !isFirstUse ? <NoRows query={query} /> : null}
      {isEmpty ? null : <ResultTable rows={rows} query={query} nowMs={nowMs} />}
      {isEmpty ? null : <Pagination query={query} cursor={page.cursor} />}
    </Layout>
  );
}

function Pagination(props: { query: ListQuery; cursor: string | null }) {
  const { query, cursor } = props;
  return (
    <nav class="pagination" aria-label="Pages">
      {query.cursor === undefined ? null : <a href={toPageUrl(query, null)}>Newest</a>}
      {cursor === null ? null : (
        <a href={toPageUrl(query, cursor)} rel="next">
          Older
        </a>
      )}
      <span class="export">
        <a href={toExportUrl(query)} download="results.ndjson">
          Export these runs
        </a>{" "}
        <span class="hint">
          as NDJSON: one record a line; the last line has the cursor for more
        </span>
      </span>
    </nav>
  );
}
