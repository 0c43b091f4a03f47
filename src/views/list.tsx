import type { Filter } from "../routes/results.ts";
import type { Page, Row } from "../store.ts";
import { Layout } from "./layout.tsx";

/** What was recorded, newest first. */
export function ListPage(props: { page: Page; filter: Filter }) {
  const { rows, cursor } = props.page;
  return (
    <Layout title="Results">
      <h1>Results</h1>
      {rows.length === 0 ? <Nothing /> : <Table rows={rows} />}
      {cursor === null ? null : <a href={older(props.filter, cursor)}>Older</a>}
    </Layout>
  );
}

function Nothing() {
  return (
    <p>
      Nothing is recorded here yet. <a href="/trigger">Start a response</a>.
    </p>
  );
}

function Table(props: { rows: Row[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Response</th>
          <th>Status</th>
          <th>Verdict</th>
          <th>Asked</th>
          <th>Created</th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr>
            <td>
              <a href={`/results/${row.id}`}>{row.id}</a>
            </td>
            <td>{row.status ?? "unknown"}</td>
            <td>{row.verdict}</td>
            <td>{row.first_line}</td>
            <td>{row.created_at}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function older(filter: Filter, cursor: string): string {
  const query = new URLSearchParams({ cursor, limit: String(filter.limit) });
  if (filter.verdict !== undefined) query.set("verdict", filter.verdict);
  if (filter.status !== undefined) query.set("status", filter.status);
  return `/results?${query.toString()}`;
}
