// A result: one record with its calls, timeline and raw data.
import { toPageResponse, type PageResponse } from "../../api/answers/page-response.ts";
import type { PageRecord } from "../../api/answers/representation.ts";
import type { NextCheck } from "../../record/observed/next-check.ts";
import { Actions, LostActions } from "../run/actions.tsx";
import { Chip, StatusIcon } from "../components/chip.tsx";
import { RunDetails } from "../run/run-details.tsx";
import { Files } from "../run/files.tsx";
import { ConnectionNote } from "../run/connection-note.tsx";
import { isUnseen, toHeadline } from "../text/connection.ts";
import { ItemList } from "../items/item-list.tsx";
import { Layout } from "../components/layout.tsx";
import { Progress } from "../run/progress.tsx";
import { RawData } from "../run/raw.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { Timeline } from "../run/timeline.tsx";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { escapeHidden } from "../text/printed/hidden-characters.ts";
import { isTerminal } from "../../record/reducer.ts";
import { statusTone } from "../text/labels.ts";
import { firstLineAsked, toTabTitle } from "../text/tab-title.ts";

const MAX_INPUT_BYTES = 200;

/** The page of a result. `follow` shows the progress of a settled run too, because a refetch was just requested. */
export function ResultPage(props: {
  record: PageRecord;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
  /** Its output items, joined with those that only the recorder has, each as JSON. */
  items: Uint8Array[];
  /** The next planned check of a run that has ended. */
  nextCheck: NextCheck | null;
  nowMs: number;
  follow: boolean;
}) {
  const { record, response, items, nextCheck, nowMs, follow } = props;
  const shown = toPageResponse(response, items);
  return (
    <Layout title={toTabTitle(record)} tone={toHeadline(record).tone} current="results">
      <ResultHeader record={record} response={shown} />
      {record.settled_at === null || follow ? (
        <Progress record={record} nextCheck={nextCheck} nowMs={nowMs} />
      ) : null}
      <Alerts record={record} isExpired={isExpired(record, response)} />
      <RunDetails record={record} response={shown} />
      <ItemList record={record} response={shown} />
      <Files files={record.files} />
      <Timeline record={record} nowMs={nowMs} />
      <RawData record={record} response={response} />
    </Layout>
  );
}

function ResultHeader(props: { record: PageRecord; response: PageResponse }) {
  const { record } = props;
  const { incompleteReason } = props.response;
  const { title, meaning, next, tone } = toHeadline(record);
  return (
    <div class="result-header">
      <p class="breadcrumbs">
        <a href="/results">Results</a> <span aria-hidden="true">/</span>{" "}
        <code id="response-id" title={record.id}>
          {record.id}
        </code>
        <button type="button" class="plain" data-copy="response-id" hidden>
          Copy id
        </button>
      </p>
      <div class="row">
        <StatusIcon tone={tone} />
        <h1>{title}</h1>
        <StatusChip record={record} />
      </div>
      <InputExcerpt asked={firstLineAsked(record)} />
      <p class="explanation">
        {meaning} <span class="next-step">{next}</span>
      </p>
      <LostActions record={record} />
      <ConnectionNote record={record} />
      {record.control_due ? <ControlRunning /> : null}
      {incompleteReason === null ? null : (
        <p class="explanation">
          The response is incomplete. OpenAI's reason: <IsolatedText text={incompleteReason} />.
        </p>
      )}
      <Actions record={record} />
    </div>
  );
}

// The headline of a run that made calls does not say how it ended.
function StatusChip({ record: { verdict, status } }: { record: PageRecord }) {
  if (verdict === "no_calls" || status === "completed" || !isTerminal(status)) return null;
  return <Chip tone={statusTone(status)}>{status ?? ""}</Chip>;
}

function InputExcerpt({ asked }: { asked: string | null }) {
  if (asked === null) return null;
  return (
    <p class="input-excerpt">
      <IsolatedText text={toExcerpt(asked, MAX_INPUT_BYTES).text} />
    </p>
  );
}

function ControlRunning() {
  return (
    <p class="explanation">
      <Chip tone="busy">control running</Chip> The same request runs with background: false; its
      outputs will stand beside those of this run.
    </p>
  );
}

function Alerts(props: { record: PageRecord; isExpired: boolean }) {
  // Of an id that is not found so far the headline says so.
  const error = isUnseen(props.record) ? null : props.record.error;
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
