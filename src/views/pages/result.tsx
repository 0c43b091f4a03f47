// One record.
import type { Shown } from "../../api/representation.ts";
import { Actions } from "../components/actions.tsx";
import { answerOf, type Answer } from "../text/model-answer.ts";
import { CallSection } from "../components/call.tsx";
import { Chip, Sigil } from "../components/chip.tsx";
import { Comparison, isCompared } from "../components/comparison.tsx";
import { Facts } from "../components/run-details.tsx";
import { Files } from "../components/files.tsx";
import { connectionOf, Held, headlineOf } from "../components/held-connection.tsx";
import { Layout } from "../components/layout.tsx";
import { Progress } from "../components/progress.tsx";
import { Raw } from "../components/raw.tsx";
import { excerpt, visible, Visible } from "../components/safe-text.tsx";
import { Timeline } from "../components/timeline.tsx";
import { statusTone } from "../text/labels.ts";

/** Bytes of code and printed text that a page holds in all, so that it stays under 60 KB on the wire. */
const PAGE = { bytes: 26_000, least: 240, mostEach: 16_000 };
/** Calls that the page shows; more are in the raw response. */
const MOST_CALLS = 60;

/** A result's page. `now` is the server's clock in milliseconds; `follow` follows a settled run too, for a look was just asked for. */
export function ResultPage(props: {
  record: Shown;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
  now: number;
  follow: boolean;
}) {
  const { record, response, now, follow } = props;
  const answer = answerOf(response);
  const most = share(record);
  return (
    <Layout title={`${headlineOf(record).title} · ${record.id}`} here="results">
      <Top record={record} answer={answer} />
      {record.settled_at === null || follow ? <Progress record={record} now={now} /> : null}
      <Trouble record={record} missing={isMissing(record, response)} />
      <Facts record={record} answer={answer} />
      <Comparison record={record} most={most} />
      {record.calls.slice(0, MOST_CALLS).map((call, index) => (
        <CallSection
          call={call}
          id={record.id}
          number={index + 1}
          most={most}
          codeAbove={isCompared(record, index)}
        />
      ))}
      {record.calls.length <= MOST_CALLS ? null : (
        <p class="note">{record.calls.length - MOST_CALLS} more calls are in the raw response.</p>
      )}
      <Files files={record.files} />
      <Said text={answer.text} />
      <Timeline record={record} now={now} />
      <Raw record={record} response={response} />
    </Layout>
  );
}

function Top(props: { record: Shown; answer: Answer }) {
  const { record, answer } = props;
  const { title, meaning, next, tone } = headlineOf(record);
  return (
    <div class={`top ${tone}`}>
      <p class="crumbs">
        <a href="/results">Results</a> <span aria-hidden="true">/</span>{" "}
        <code id="response-id">{record.id}</code>
        <button type="button" class="copy plain" data-copy="response-id" hidden>
          Copy id
        </button>
      </p>
      <div class="row">
        <Sigil tone={tone} />
        <h1>{title}</h1>
        <Chip tone={tone}>{record.verdict}</Chip>
        <Chip tone={statusTone(record.status)}>{record.status ?? "unknown"}</Chip>
      </div>
      <Asked request={record.request} />
      <p class="meaning">
        {meaning} <span class="next">{next}</span>
      </p>
      <Held record={record} />
      {answer.reason === null ? null : (
        <p class="meaning">
          OpenAI cut it off: <Visible text={answer.reason} />.
        </p>
      )}
      <Actions record={record} connection={connectionOf(record)?.state ?? null} />
    </div>
  );
}

function Asked(props: { request: Shown["request"] }) {
  const input = props.request?.["input"];
  if (typeof input !== "string") return null;
  return (
    <p class="question">
      <Visible text={excerpt(input.trim().split("\n", 1)[0] ?? "", 200).text} />
    </p>
  );
}

function Trouble(props: { record: Shown; missing: boolean }) {
  const { error } = props.record;
  return (
    <>
      {error === null ? null : (
        <div class="card trouble" role="alert">
          <strong>
            <code>{visible(error.code)}</code>
          </strong>{" "}
          <Visible text={error.message} />
        </div>
      )}
      {props.missing ? (
        <div class="card trouble" role="alert">
          <strong>Expired.</strong> The outputs were recorded and are kept no longer
          (RETENTION_DAYS); what is left comes from the run's own history.
        </div>
      ) : null}
    </>
  );
}

// The outputs were seen, but no body is stored any more.
function isMissing(record: Shown, response: Uint8Array | null): boolean {
  return (
    response === null && record.error === null && record.calls.some((call) => call.source !== null)
  );
}

function Said(props: { text: string }) {
  if (props.text === "") return null;
  const part = excerpt(props.text, 3_000);
  return (
    <section class="card" aria-labelledby="said-by-model">
      <h2 id="said-by-model">What the model said</h2>
      <p class="prose">
        <Visible text={part.text} />
      </p>
      {part.whole ? null : <p class="note">Cut here: {part.size} in all.</p>}
    </section>
  );
}

function share(record: Shown): number {
  const texts = 2 * (record.calls.length + 2 * (record.control?.calls.length ?? 0));
  return Math.min(PAGE.mostEach, Math.max(PAGE.least, Math.floor(PAGE.bytes / Math.max(texts, 1))));
}
