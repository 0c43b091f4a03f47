// One code interpreter call: its code, its outputs, and the channel that had them.
import type { Call } from "../../record/schema.ts";
import { Chip } from "./chip.tsx";
import { Outputs } from "./outputs.tsx";
import { PythonCode } from "./python-code.tsx";
import { IsolatedText } from "./safe-text.tsx";
import { toExcerpt } from "../text/excerpt.ts";
import { CALL_VERDICTS, CHANNELS } from "../text/labels.ts";

type Props = {
  call: Call;
  /** The response's id. */
  id: string;
  number: number;
  /** The maximum size of each text on the page. */
  maxBytes: number;
  /** Whether the comparison with the control already shows the code. */
  isCodeShownAbove: boolean;
};

/** The section of a call. */
export function CallSection(props: Props) {
  const { call, number } = props;
  return (
    <section class="card" aria-labelledby={`call-${number}`}>
      <div class="row">
        <h2 id={`call-${number}`}>Call {number}</h2>
        {call.verdict === null ? null : (
          <Chip tone={CALL_VERDICTS[call.verdict].tone}>{call.verdict}</Chip>
        )}
        <code class="muted id">{call.id}</code>
      </div>
      <p class="explanation">
        {call.verdict === null ? null : CALL_VERDICTS[call.verdict].meaning}
        <CallStatus status={call.status} />
        {call.source === null ? null : ` Source: ${call.source}, which ${CHANNELS[call.source]}.`}
      </p>
      {call.hint === null ? null : (
        <p class="note">
          <IsolatedText text={call.hint} />
        </p>
      )}
      {props.isCodeShownAbove ? (
        <p class="placeholder">The code is shown above, in the comparison with the control.</p>
      ) : (
        <CallCode call={call} maxBytes={props.maxBytes} number={number} />
      )}
      <h3>Outputs</h3>
      <Outputs
        call={call}
        id={props.id}
        textUrl={`/results/${props.id}/outputs?call=${number}&strict=false`}
        maxBytes={props.maxBytes}
      />
    </section>
  );
}

function CallStatus({ status }: Pick<Call, "status">) {
  if (status === null || status === "completed") return null;
  return (
    <>
      {" Its status: "}
      <code>
        <IsolatedText text={status} />
      </code>
      .
    </>
  );
}

/** The Python code of a call. Long code is truncated. */
export function CallCode(props: { call: Pick<Call, "code">; maxBytes: number; number: number }) {
  if (props.call.code === null) return <p class="placeholder">OpenAI sent no code.</p>;
  const excerpt = toExcerpt(props.call.code, props.maxBytes);
  return (
    <>
      <PythonCode code={excerpt.text} label={`Python code of call ${props.number}`} />
      {excerpt.isTruncated ? (
        <p class="note">Truncated: {excerpt.size} in total. The raw response has the rest.</p>
      ) : null}
    </>
  );
}
