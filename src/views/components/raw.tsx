// What lies beneath a result, folded: the request, the bug report, the response object.
import type { PageRecord } from "../../api/representation.ts";
import { createBugReport } from "../text/bug-report.ts";
import { toExcerpt, Preformatted } from "./safe-text.tsx";
import { formatBytes } from "../text/format.ts";

/** Bytes of each that the page holds. */
const MAX_EXCERPT_BYTES = 6_000;

/** The folded part of a result. */
export function RawData(props: { record: PageRecord; response: Uint8Array | null }) {
  const { record, response } = props;
  if (record.request === null && record.verdict === "pending") return null;
  return (
    <section class="card" aria-labelledby="beneath">
      <h2 id="beneath">Beneath</h2>
      <RequestJson request={record.request} />
      {record.verdict === "pending" ? null : <BugReport record={record} />}
      {response === null ? null : <ResponseJson id={record.id} response={response} />}
      {response === null ? null : (
        <p class="links">
          <a href={`/results/${record.id}/outputs`}>Printed text, plain</a>
          <a href={`/results/${record.id}/response`}>Response object, JSON</a>
        </p>
      )}
    </section>
  );
}

function BugReport(props: { record: PageRecord }) {
  return (
    <details>
      <summary>Bug report, Markdown</summary>
      <label class="unseen" for="report">
        Bug report
      </label>
      <textarea id="report" class="report" readonly rows={14}>
        {createBugReport(props.record)}
      </textarea>
    </details>
  );
}

function RequestJson(props: { request: Record<string, unknown> | null }) {
  if (props.request === null) return null;
  const part = toExcerpt(JSON.stringify(props.request, null, 2), MAX_EXCERPT_BYTES);
  return (
    <details>
      <summary>What was asked</summary>
      <Preformatted text={part.text} label="The request, JSON" />
      {part.isWhole ? null : <p class="note">Cut here: {part.size} in all.</p>}
    </details>
  );
}

function ResponseJson(props: { id: string; response: Uint8Array }) {
  const { id, response } = props;
  const head = new TextDecoder().decode(response.subarray(0, MAX_EXCERPT_BYTES));
  const text =
    response.byteLength <= MAX_EXCERPT_BYTES ? JSON.stringify(JSON.parse(head), null, 2) : head;
  return (
    <details>
      <summary>Raw response, {formatBytes(response.byteLength)}</summary>
      <p>
        <button type="button" data-copy-from={`/results/${id}/response`} hidden>
          Copy the response
        </button>
      </p>
      <Preformatted text={text} label="The response object, JSON" />
      {response.byteLength <= MAX_EXCERPT_BYTES ? null : (
        <p class="note">
          Cut here. <a href={`/results/${id}/response`}>The whole response</a>
        </p>
      )}
    </details>
  );
}
