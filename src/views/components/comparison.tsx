// Background and control side by side, with what differs marked.
import * as z from "zod";
import type { Call, ResponseRecord } from "../../record/schema.ts";
import { Chip } from "./chip.tsx";
import { CallCode } from "./call.tsx";
import { Outputs } from "./outputs.tsx";
import { toExcerpt, IsolatedText } from "./safe-text.tsx";

const Logs = z.looseObject({
  type: z.literal("logs"),
  logs: z.string(),
  cut: z.object({ digest: z.string() }).optional(),
});

type Side = Call | undefined;

/**
 * Whether a call's code stands in the comparison already.
 * @param record The record.
 * @param index Which of its calls.
 */
export function hasSameCode(
  record: Pick<ResponseRecord, "calls" | "control">,
  index: number,
): boolean {
  const [call, control] = [record.calls[index], record.control?.calls[index]];
  return call !== undefined && control !== undefined && call.code === control.code;
}

/** The comparison with the control; nothing where there is none. */
export function Comparison(props: {
  record: Pick<ResponseRecord, "id" | "calls" | "control">;
  most: number;
}) {
  const { calls, control, id } = props.record;
  if (control === null) return null;
  const pairs = Array.from(
    { length: Math.max(calls.length, control.calls.length) },
    (_, index) => ({
      background: calls[index],
      control: control.calls[index],
    }),
  );
  return (
    <section class="card" aria-labelledby="comparison">
      <h2 id="comparison">Background and control</h2>
      <p class="meaning">
        The control ran the same request with background: false
        {control.status === null ? "" : `; it is ${control.status}`}. What only one side has is
        marked. {control.id === null ? null : <code class="faint">{control.id}</code>}
      </p>
      {pairs.map((pair, index) => (
        <Pair {...pair} number={index + 1} id={id} most={props.most} />
      ))}
    </section>
  );
}

function Pair(props: {
  background: Side;
  control: Side;
  number: number;
  id: string;
  most: number;
}) {
  const { background, control, number } = props;
  const sameCode = background?.code === control?.code;
  const sameOutputs =
    logText(background) === logText(control) &&
    textDigests(background) === textDigests(control) &&
    countOtherOutputs(background) === countOtherOutputs(control);
  return (
    <div class="pair">
      <div class="row">
        <h3>Call {number}</h3>
        <Chip tone={sameCode ? "neutral" : "warn"}>
          {sameCode ? "identical code" : "code differs"}
        </Chip>
        <Chip tone={sameOutputs ? "good" : "bad"}>
          {sameOutputs ? "same outputs" : "outputs differ"}
        </Chip>
      </div>
      {sameCode && background !== undefined ? (
        <CallCode call={background} most={props.most} number={number} />
      ) : null}
      <div class="sides">
        <OneSide {...props} title="Background" call={background} other={control} code={!sameCode} />
        <OneSide {...props} title="Control" call={control} other={background} code={!sameCode} />
      </div>
    </div>
  );
}

function OneSide(props: {
  title: string;
  call: Side;
  other: Side;
  code: boolean;
  number: number;
  id: string;
  most: number;
}) {
  const { call, title } = props;
  return (
    <div class={`side ${title.toLowerCase()}`}>
      <h4>{title}</h4>
      {call === undefined ? <p class="nothing">It has no such call.</p> : null}
      {call !== undefined && props.code ? (
        <CallCode call={call} most={props.most} number={props.number} />
      ) : null}
      {call === undefined ? null : <SideOutput {...props} call={call} />}
    </div>
  );
}

// Text is compared line by line; whatever is not text is shown as it is.
function SideOutput(props: { call: Call; other: Side; title: string; id: string; most: number }) {
  const { call, other } = props;
  const text = logText(call);
  const pictures = countOtherOutputs(call) > 0;
  if (text === "" || pictures) return <Outputs call={call} id={props.id} most={props.most} />;
  return (
    <pre class="printed" tabindex={0} role="group" aria-label={`Printed text, ${props.title}`}>
      {markDifference(toExcerpt(text, props.most).text, toExcerpt(logText(other), props.most).text)}
    </pre>
  );
}

function markDifference(text: string, other: string) {
  const lines = text.split("\n");
  const others = other.split("\n");
  const head = lines.findIndex((line, index) => line !== others[index]);
  if (head === -1) return <IsolatedText text={text} />;
  const tail = commonTail(lines.slice(head), others.slice(head));
  const end = lines.length - tail;
  return (
    <>
      <IsolatedText text={lines.slice(0, head).map(withLineBreak).join("")} />
      <mark>
        <IsolatedText text={lines.slice(head, end).join("\n")} />
      </mark>
      <IsolatedText
        text={lines
          .slice(end)
          .map((line) => `\n${line}`)
          .join("")}
      />
    </>
  );
}

function commonTail(lines: string[], others: string[]): number {
  const most = Math.min(lines.length, others.length);
  for (let count = 0; count < most; count += 1) {
    if (lines.at(-1 - count) !== others.at(-1 - count)) return count;
  }
  return most;
}

function withLineBreak(line: string): string {
  return `${line}\n`;
}

function logText(call: Side): string {
  return (call?.outputs ?? [])
    .map((output) => Logs.safeParse(output))
    .map((logs) => (logs.success ? logs.data.logs : ""))
    .join("");
}

// Of long texts only the beginnings are here; these tell them apart.
function textDigests(call: Side): string {
  return (call?.outputs ?? []).map((output) => Logs.safeParse(output).data?.cut?.digest).join();
}

function countOtherOutputs(call: Side): number {
  return (call?.outputs ?? []).filter((output) => !Logs.safeParse(output).success).length;
}
