import type { Call } from "../record.ts";
import type { Revealed } from "../reveal.ts";
import { Layout } from "./layout.tsx";

/** One record. */
export function ResultPage(props: { found: Revealed }) {
  const { record } = props.found;
  return (
    <Layout title={record.id}>
      <h1>
        <code>{record.id}</code>
      </h1>
      <p>
        <strong>{record.verdict}</strong>, status {record.status ?? "unknown"}
      </p>
      {record.error === null ? null : <p role="alert">{record.error.message}</p>}
      {record.calls.map((call) => (
        <CallSection call={call} />
      ))}
      <h2>Looks</h2>
      <ol>
        {record.observations.map((seen) => (
          <li>
            <time datetime={seen.at}>{seen.at}</time> {seen.channel}: HTTP{" "}
            {seen.http_status ?? "none"}, status {seen.status ?? "unknown"},{" "}
            {seen.calls.map((call) => `${call.id}: ${call.outputs}`).join(", ") || "no calls"}
          </li>
        ))}
      </ol>
      <p>
        <a href={`/results/${record.id}/response`}>Response object</a>
      </p>
    </Layout>
  );
}

function CallSection(props: { call: Call }) {
  const { call } = props;
  return (
    <section>
      <h2>
        <code>{call.id}</code> {call.verdict}
      </h2>
      <pre>{call.code}</pre>
      {(call.outputs ?? []).map((output) => (
        <pre>{JSON.stringify(output, null, 2)}</pre>
      ))}
    </section>
  );
}
