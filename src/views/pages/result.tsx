// A result: one record with its calls, timeline and raw data.
import type { PageRecord } from "../../api/representation.ts";
import { Actions } from "../components/actions.tsx";
import { parseModelAnswer, type ModelAnswer } from "../text/model-answer.ts";
import { CallSection } from "../components/call.tsx";
import { Chip, StatusIcon } from "../components/chip.tsx";
import { Comparison, isCodeCompared } from "../components/comparison.tsx";
import { RunDetails } from "../components/run-details.tsx";
import { Files } from "../components/files.tsx";
import { ConnectionNote } from "../components/connection-note.tsx";
import { describeConnection, toHeadline } from "../text/connection.ts";
import { Layout } from "../components/layout.tsx";
import { Progress } from "../components/progress.tsx";
import { RawData } from "../components/raw.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { Timeline } from "../components/timeline.tsx";
import { toExcerpt } from "../text/excerpt.ts";
import { escapeHidden } from "../text/hidden-characters.ts";
import { statusTone } from "../text/labels.ts";

/** The size of all code and printed text on a page together, so that the page stays under 60 KB on the wire. */
const MAX_PAGE_TEXT_BYTES = 26_000;
/** The limits of the share that each text gets. */
const MIN_TEXT_BYTES = 240;
const MAX_TEXT_BYTES = 16_000;
const MAX_ANSWER_BYTES = 3_000;
const MAX_INPUT_BYTES = 200;
/** The page shows only the first calls of a run with more. */
const MAX_CALLS = 60;

/** The page of a result. `follow` shows the progress of a settled run too, because a refetch was just requested. */
export function ResultPage(props: {
  record: PageRecord;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
  nowMs: number;
  follow: boolean;
}) {
  const { record, response, nowMs, follow } = props;
  const answer = parseModelAnswer(response);
  const maxBytes = computeMaxTextBytes(record);
  return (
    <Layout title={`${toHeadline(record).title} · ${record.id}`} current="results">
      <ResultHeader record={record} answer={answer} />
      {record.settled_at === null || follow ? <Progress record={record} nowMs={nowMs} /> : null}
      <Alerts record={record} isExpired={isExpired(record, response)} />
      <RunDetails record={record} answer={answer} />
      <Comparison record={record} maxBytes={maxBytes} />
      {record.calls.slice(0, MAX_CALLS).map((call, index) => (
        <CallSection
          call={call}
          id={record.id}
          number={index + 1}
          maxBytes={maxBytes}
          isCodeShownAbove={isCodeCompared(record, index)}
        />
      ))}
      {record.calls.length <= MAX_CALLS ? null : (
        <p class="note">{record.calls.length - MAX_CALLS} more calls are in the raw response.</p>
      )}
      <Files files={record.files} />
      <ModelOutput text={answer.text} />
      <Timeline record={record} nowMs={nowMs} />
      <RawData record={record} response={response} />
    </Layout>
  );
}

function ResultHeader(props: { record: PageRecord; answer: ModelAnswer }) {
  const { record, answer } = props;
  const { title, meaning, next, tone } = toHeadline(record);
  return (
    <div class="result-header">
      <p class="breadcrumbs">
        <a href="/results">Results</a> <span aria-hidden="true">/</span>{" "}
        <code id="response-id">{record.id}</code>
        <button type="button" class="plain" data-copy="response-id" hidden>
          Copy id
        </button>
      </p>
      <div class="row">
        <StatusIcon tone={tone} />
        <h1>{title}</h1>
        <Chip tone={tone}>{record.verdict}</Chip>
        <Chip tone={statusTone(record.status)}>{record.status ?? "unknown"}</Chip>
      </div>
      <InputExcerpt request={record.request} />
      <p class="explanation">
        {meaning} <span class="next-step">{next}</span>
      </p>
      <ConnectionNote record={record} />
      {answer.incompleteReason === null ? null : (
        <p class="explanation">
          The response is incomplete. OpenAI's reason:{" "}
          <IsolatedText text={answer.incompleteReason} />.
        </p>
      )}
      <Actions record={record} connection={describeConnection(record)} />
    </div>
  );
}

// The first line of the input.
function InputExcerpt(props: { request: PageRecord["request"] }) {
  const input = props.request?.["input"];
  if (typeof input !== "string") return null;
  const firstLine = input.trim().split("\n", 1)[0] ?? "";
  return (
    <p class="input-excerpt">
      <IsolatedText text={toExcerpt(firstLine, MAX_INPUT_BYTES).text} />
    </p>
  );
}

function Alerts(props: { record: PageRecord; isExpired: boolean }) {
  const { error } = props.record;
  return (
    <>
      {error === null ? null : (
        <div class="card alert" role="alert">
          <strong>
            <code>{escapeHidden(error.code)}</code>
          </strong>{" "}
          <IsolatedText text={error.message} />
        </div>
      )}
      {props.isExpired ? (
        <div class="card alert" role="alert">
          <strong>Expired.</strong> The outputs were recorded, but RETENTION_DAYS have passed since.
          This page shows what is left in the run's history.
        </div>
      ) : null}
    </>
  );
}

// The outputs were observed, but no body is stored any more.
function isExpired(record: PageRecord, response: Uint8Array | null): boolean {
  return (
    response === null && record.error === null && record.calls.some((call) => call.source !== null)
  );
}

function ModelOutput(props: { text: string }) {
  if (props.text === "") return null;
  const excerpt = toExcerpt(props.text, MAX_ANSWER_BYTES);
  return (
    <section class="card" aria-labelledby="model-output">
      <h2 id="model-output">Model output</h2>
      <p class="prose">
        <IsolatedText text={excerpt.text} />
      </p>
      {excerpt.isTruncated ? <p class="note">Truncated: {excerpt.size} in total.</p> : null}
    </section>
  );
}

// A call has two texts, code and output; the comparison repeats both.
function computeMaxTextBytes(record: PageRecord): number {
  const texts = 2 * (record.calls.length + 2 * (record.control?.calls.length ?? 0));
  const share = Math.floor(MAX_PAGE_TEXT_BYTES / Math.max(texts, 1));
  return Math.min(MAX_TEXT_BYTES, Math.max(MIN_TEXT_BYTES, share));
}
