// One record.
import type { PageRecord } from "../../api/representation.ts";
import { Actions } from "../components/actions.tsx";
import { parseModelAnswer, type ModelAnswer } from "../text/model-answer.ts";
import { CallSection } from "../components/call.tsx";
import { Chip, StatusIcon } from "../components/chip.tsx";
import { Comparison, hasSameCode } from "../components/comparison.tsx";
import { RunDetails } from "../components/run-details.tsx";
import { Files } from "../components/files.tsx";
import { HeldNote } from "../components/held-note.tsx";
import { describeConnection, toHeadline } from "../text/held-connection.ts";
import { Layout } from "../components/layout.tsx";
import { Progress } from "../components/progress.tsx";
import { RawData } from "../components/raw.tsx";
import { toExcerpt, escapeHidden, IsolatedText } from "../components/safe-text.tsx";
import { Timeline } from "../components/timeline.tsx";
import { statusTone } from "../text/labels.ts";

/** Bytes of code and printed text that a page holds in all, so that it stays under 60 KB on the wire. */
const PAGE_BUDGET = { bytes: 26_000, least: 240, mostEach: 16_000 };
/** Calls that the page shows; more are in the raw response. */
const MAX_CALLS = 60;

/** A result's page. `now` is the server's clock in milliseconds; `follow` follows a settled run too, for a look was just asked for. */
export function ResultPage(props: {
  record: PageRecord;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
  now: number;
  follow: boolean;
}) {
  const { record, response, now, follow } = props;
  const answer = parseModelAnswer(response);
  const most = bytesPerText(record);
  return (
    <Layout title={`${toHeadline(record).title} · ${record.id}`} here="results">
      <ResultHeader record={record} answer={answer} />
      {record.settled_at === null || follow ? <Progress record={record} now={now} /> : null}
      <Alerts record={record} missing={isExpired(record, response)} />
      <RunDetails record={record} answer={answer} />
      <Comparison record={record} most={most} />
      {record.calls.slice(0, MAX_CALLS).map((call, index) => (
        <CallSection
          call={call}
          id={record.id}
          number={index + 1}
          most={most}
          codeAbove={hasSameCode(record, index)}
        />
      ))}
      {record.calls.length <= MAX_CALLS ? null : (
        <p class="note">{record.calls.length - MAX_CALLS} more calls are in the raw response.</p>
      )}
      <Files files={record.files} />
      <ModelOutput text={answer.text} />
      <Timeline record={record} now={now} />
      <RawData record={record} response={response} />
    </Layout>
  );
}

function ResultHeader(props: { record: PageRecord; answer: ModelAnswer }) {
  const { record, answer } = props;
  const { title, meaning, next, tone } = toHeadline(record);
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
        <StatusIcon tone={tone} />
        <h1>{title}</h1>
        <Chip tone={tone}>{record.verdict}</Chip>
        <Chip tone={statusTone(record.status)}>{record.status ?? "unknown"}</Chip>
      </div>
      <Question request={record.request} />
      <p class="meaning">
        {meaning} <span class="next">{next}</span>
      </p>
      <HeldNote record={record} />
      {answer.reason === null ? null : (
        <p class="meaning">
          OpenAI cut it off: <IsolatedText text={answer.reason} />.
        </p>
      )}
      <Actions record={record} connection={describeConnection(record)?.state ?? null} />
    </div>
  );
}

function Question(props: { request: PageRecord["request"] }) {
  const input = props.request?.["input"];
  if (typeof input !== "string") return null;
  return (
    <p class="question">
      <IsolatedText text={toExcerpt(input.trim().split("\n", 1)[0] ?? "", 200).text} />
    </p>
  );
}

function Alerts(props: { record: PageRecord; missing: boolean }) {
  const { error } = props.record;
  return (
    <>
      {error === null ? null : (
        <div class="card trouble" role="alert">
          <strong>
            <code>{escapeHidden(error.code)}</code>
          </strong>{" "}
          <IsolatedText text={error.message} />
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
function isExpired(record: PageRecord, response: Uint8Array | null): boolean {
  return (
    response === null && record.error === null && record.calls.some((call) => call.source !== null)
  );
}

function ModelOutput(props: { text: string }) {
  if (props.text === "") return null;
  const part = toExcerpt(props.text, 3_000);
  return (
    <section class="card" aria-labelledby="said-by-model">
      <h2 id="said-by-model">What the model said</h2>
      <p class="prose">
        <IsolatedText text={part.text} />
      </p>
      {part.isWhole ? null : <p class="note">Cut here: {part.size} in all.</p>}
    </section>
  );
}

function bytesPerText(record: PageRecord): number {
  const texts = 2 * (record.calls.length + 2 * (record.control?.calls.length ?? 0));
  return Math.min(
    PAGE_BUDGET.mostEach,
    Math.max(PAGE_BUDGET.least, Math.floor(PAGE_BUDGET.bytes / Math.max(texts, 1))),
  );
}
