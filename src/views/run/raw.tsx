// The raw data of a run, folded: the request, the bug report, the response object.
import type { PageRecord } from "../../api/answers/representation.ts";
import { controlOutputsPath } from "../../record/calls/cure.ts";
import { createBugReport, isReportable } from "../text/bug-report.ts";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { formatBytes } from "../text/format.ts";
import { Preformatted } from "../components/safe-text.tsx";

/** The maximum size of the request and of the response object on the page, each. */
const MAX_EXCERPT_BYTES = 6_000;

/** The raw data; empty for a pending run without a request. */
export function RawData(props: { record: PageRecord; response: Uint8Array | null }) {
  const { record, response } = props;
  const controlPath = controlOutputsPath(record);
  if (record.request === null && record.verdict === "pending") return null;
  return (
    <section class="card" aria-labelledby="raw-data">
      <h2 id="raw-data">Details</h2>
      <RequestJson request={record.request} />
      {isReportable(record) ? <BugReport record={record} /> : null}
      {response === null ? null : <ResponseJson id={record.id} response={response} />}
      {response === null ? null : (
        <p class="links">
          <a href={`/results/${record.id}/outputs?strict=false`}>Outputs as text</a>
          {controlPath === null ? null : <a href={controlPath}>The control's outputs as text</a>}
          <a href={`/results/${record.id}/response`}>Response JSON</a>
        </p>
      )}
    </section>
  );
}

function BugReport(props: { record: PageRecord }) {
  return (
    <details>
      <summary>Bug report</summary>
      <pre id="report" class="wrap" tabindex={0} role="group" aria-label="Bug report, Markdown">
        {createBugReport(props.record)}
      </pre>
    </details>
  );
}

function RequestJson(props: { request: Record<string, unknown> | null }) {
  if (props.request === null) return null;
  const excerpt = toExcerpt(JSON.stringify(props.request, null, 2), MAX_EXCERPT_BYTES);
  return (
    <details>
      <summary>Request</summary>
      <Preformatted text={excerpt.text} label="The request, JSON" />
      {excerpt.isTruncated ? <p class="note">Truncated: {excerpt.size} in total.</p> : null}
    </details>
  );
}

function ResponseJson(props: { id: string; response: Uint8Array }) {
  const { id, response } = props;
  const isTruncated = response.byteLength > MAX_EXCERPT_BYTES;
  const head = new TextDecoder().decode(response.subarray(0, MAX_EXCERPT_BYTES));
  const text = isTruncated ? head : JSON.stringify(JSON.parse(head), null, 2);
  return (
    <details>
      <summary>Raw response, {formatBytes(response.byteLength)}</summary>
      <p>
        <button type="button" data-copy-from={`/results/${id}/response`} hidden>
          Copy the response
        </button>
      </p>
      <Preformatted text={text} label="The response object, JSON" />
      {isTruncated ? (
        <p class="note">
          Truncated. <a href={`/results/${id}/response`}>The whole response</a>
        </p>
      ) : null}
    </details>
  );
}
