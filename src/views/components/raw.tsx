// What lies beneath a result, folded: the request, the bug report, the response object.
import type { Shown } from "../../api/representation.ts";
import { reportOf } from "../text/bug-report.ts";
import { excerpt, Printed } from "./safe-text.tsx";
import { bytes } from "../text/format.ts";

/** Bytes of each that the page holds. */
const MOST = 6_000;

/** The folded part of a result. */
export function Raw(props: { record: Shown; response: Uint8Array | null }) {
  const { record, response } = props;
  if (record.request === null && record.verdict === "pending") return null;
  return (
    <section class="card" aria-labelledby="beneath">
      <h2 id="beneath">Beneath</h2>
      <Asked request={record.request} />
      {record.verdict === "pending" ? null : <Report record={record} />}
      {response === null ? null : <Body id={record.id} response={response} />}
      {response === null ? null : (
        <p class="links">
          <a href={`/results/${record.id}/outputs`}>Printed text, plain</a>
          <a href={`/results/${record.id}/response`}>Response object, JSON</a>
        </p>
      )}
    </section>
  );
}

function Report(props: { record: Shown }) {
  return (
    <details>
      <summary>Bug report, Markdown</summary>
      <label class="unseen" for="report">
        Bug report
      </label>
      <textarea id="report" class="report" readonly rows={14}>
        {reportOf(props.record)}
      </textarea>
    </details>
  );
}

function Asked(props: { request: Record<string, unknown> | null }) {
  if (props.request === null) return null;
  const part = excerpt(JSON.stringify(props.request, null, 2), MOST);
  return (
    <details>
      <summary>What was asked</summary>
      <Printed text={part.text} label="The request, JSON" />
      {part.whole ? null : <p class="note">Cut here: {part.size} in all.</p>}
    </details>
  );
}

function Body(props: { id: string; response: Uint8Array }) {
  const { id, response } = props;
  const head = new TextDecoder().decode(response.subarray(0, MOST));
  const text = response.byteLength <= MOST ? JSON.stringify(JSON.parse(head), null, 2) : head;
  return (
    <details>
      <summary>Raw response, {bytes(response.byteLength)}</summary>
      <p>
        <button type="button" data-copy-from={`/results/${id}/response`} hidden>
          Copy the response
        </button>
      </p>
      <Printed text={text} label="The response object, JSON" />
      {response.byteLength <= MOST ? null : (
        <p class="note">
          Cut here. <a href={`/results/${id}/response`}>The whole response</a>
        </p>
      )}
    </details>
  );
}
