// The background run and its control side by side, with their differences highlighted.
import * as z from "zod";
import type { Call, ResponseRecord } from "../../record/schema.ts";
import { toExcerpt } from "../text/excerpt.ts";
import { CallCode } from "./call.tsx";
import { Chip } from "./chip.tsx";
import { CONTROL_FAILURES } from "../text/labels.ts";
import { escapeHidden } from "../text/hidden-characters.ts";
import { Outputs } from "./outputs.tsx";
import { IsolatedText } from "./safe-text.tsx";

const Logs = z.looseObject({
  type: z.literal("logs"),
  logs: z.string(),
  cut: z.object({ digest: z.string() }).optional(),
});

/** A call of the run or of its control; undefined when that side has no call at this position. */
type Side = Call | undefined;

/** Whether the comparison shows the code of the call at `index`, because both sides have the same. */
export function isCodeCompared(
  record: Pick<ResponseRecord, "calls" | "control">,
  index: number,
): boolean {
  const [call, control] = [record.calls[index], record.control?.calls[index]];
  return call !== undefined && control !== undefined && call.code === control.code;
}

/** The comparison; empty when the run has no control. */
export function Comparison(props: {
  record: Pick<ResponseRecord, "id" | "calls" | "control">;
  maxBytes: number;
}) {
  const { calls, control, id } = props.record;
  if (control === null) return null;
  // Without calls of the control there is nothing to compare.
  const length = control.calls.length === 0 ? 0 : Math.max(calls.length, control.calls.length);
  const pairs = Array.from({ length }, (_, index) => ({
    background: calls[index],
    control: control.calls[index],
  }));
  return (
    <section class="card" aria-labelledby="comparison">
      <h2 id="comparison">Background and control</h2>
      <p class="explanation">
        <ControlSummary status={control.status} hasCalls={length > 0} />{" "}
        {control.id === null ? null : <code class="muted">{control.id}</code>}
      </p>
      {pairs.map((pair, index) => (
        <ComparedCall {...pair} number={index + 1} id={id} maxBytes={props.maxBytes} />
      ))}
    </section>
  );
}

function ControlSummary(props: { status: string | null; hasCalls: boolean }) {
  const { status, hasCalls } = props;
  const failure = CONTROL_FAILURES[status ?? ""] ?? null;
  return (
    <>
      The control is the same request with background: false; its status is{" "}
      {escapeHidden(status ?? "unknown")}. {failure}
      {failure === null && !hasCalls ? "It ran no code." : null}
      {hasCalls ? " Text that only one side has is highlighted." : null}
    </>
  );
}

function ComparedCall(props: {
  background: Side;
  control: Side;
  number: number;
  id: string;
  maxBytes: number;
}) {
  const { background, control, number } = props;
  const sameCode = background?.code === control?.code;
  const textUrl = `/results/${props.id}/outputs?call=${number}&strict=false`;
  return (
    <div class="compared-call">
      <div class="row">
        <h3>Call {number}</h3>
        {background === undefined || control === undefined ? null : (
          <Differences sameCode={sameCode} sameOutputs={hasSameOutputs(background, control)} />
        )}
      </div>
      {sameCode && background !== undefined ? (
        <CallCode call={background} maxBytes={props.maxBytes} number={number} />
      ) : null}
      <div class="sides">
        <ComparisonSide
          {...props}
          title="Background"
          textUrl={textUrl}
          call={background}
          other={control}
          showsCode={!sameCode}
        />
        <ComparisonSide
          {...props}
          title="Control"
          textUrl={`${textUrl}&from=control`}
          call={control}
          other={background}
          showsCode={!sameCode}
        />
      </div>
    </div>
  );
}

function Differences(props: { sameCode: boolean; sameOutputs: boolean }) {
  const { sameCode, sameOutputs } = props;
  return (
    <>
      <Chip tone={sameCode ? "neutral" : "warn"}>
        {sameCode ? "identical code" : "code differs"}
      </Chip>
      <Chip tone={sameOutputs ? "good" : "bad"}>
        {sameOutputs ? "same outputs" : "outputs differ"}
      </Chip>
    </>
  );
}

function ComparisonSide(props: {
  title: string;
  call: Side;
  other: Side;
  showsCode: boolean;
  number: number;
  id: string;
  textUrl: string;
  maxBytes: number;
}) {
  const { call, title } = props;
  return (
    <div class="side">
      <h4>{title}</h4>
      {call === undefined ? <p class="placeholder">No call at this position.</p> : null}
      {call !== undefined && props.showsCode ? (
        <CallCode call={call} maxBytes={props.maxBytes} number={props.number} />
      ) : null}
      {call === undefined ? null : <SideOutputs {...props} call={call} />}
    </div>
  );
}

// Text is compared line by line; other outputs are shown without a comparison.
function SideOutputs(props: {
  call: Call;
  other: Side;
  title: string;
  id: string;
  textUrl: string;
  maxBytes: number;
}) {
  const { call, other, maxBytes } = props;
  const text = joinLogs(call);
  if (text === "" || countOtherOutputs(call) > 0) {
    return <Outputs {...props} />;
  }
  return (
    <pre
      class="preformatted"
      tabindex={0}
      role="group"
      aria-label={`Printed text, ${props.title.toLowerCase()}`}
    >
      <HighlightedDifference
        text={toExcerpt(text, maxBytes).text}
        other={toExcerpt(joinLogs(other), maxBytes).text}
      />
    </pre>
  );
}

// Highlights the lines between the first and the last difference.
function HighlightedDifference({ text, other }: { text: string; other: string }) {
  const lines = text.split("\n");
  const otherLines = other.split("\n");
  const first = lines.findIndex((line, index) => line !== otherLines[index]);
  if (first === -1) return <IsolatedText text={text} />;
  const last = lines.length - countCommonTail(lines.slice(first), otherLines.slice(first));
  const before = lines.slice(0, first).map((line) => `${line}\n`);
  const after = lines.slice(last).map((line) => `\n${line}`);
  return (
    <>
      <IsolatedText text={before.join("")} />
      <mark>
        <IsolatedText text={lines.slice(first, last).join("\n")} />
      </mark>
      <IsolatedText text={after.join("")} />
    </>
  );
}

function countCommonTail(lines: string[], otherLines: string[]): number {
  const max = Math.min(lines.length, otherLines.length);
  for (let count = 0; count < max; count += 1) {
    if (lines.at(-1 - count) !== otherLines.at(-1 - count)) return count;
  }
  return max;
}

function hasSameOutputs(background: Side, control: Side): boolean {
  return (
    joinLogs(background) === joinLogs(control) &&
    joinLogDigests(background) === joinLogDigests(control) &&
    countOtherOutputs(background) === countOtherOutputs(control)
  );
}

function joinLogs(call: Side): string {
  return (call?.outputs ?? [])
    .map((output) => Logs.safeParse(output))
    .map((logs) => (logs.success ? logs.data.logs : ""))
    .join("");
}

// A page gets only the beginning of a long text. The digests show whether the rest differs.
function joinLogDigests(call: Side): string {
  return (call?.outputs ?? []).map((output) => Logs.safeParse(output).data?.cut?.digest).join();
}

function countOtherOutputs(call: Side): number {
  return (call?.outputs ?? []).filter((output) => !Logs.safeParse(output).success).length;
}
