// One code interpreter call: its code, what it showed, and where that was seen.
import type { Call } from "../../record/schema.ts";
import { Chip } from "./chip.tsx";
import { Outputs } from "./outputs.tsx";
import { PythonCode } from "./python-code.tsx";
import { toExcerpt } from "./safe-text.tsx";
import { CALL_VERDICTS, CHANNELS } from "../text/labels.ts";

type Props = {
  call: Call;
  /** The response's id. */
  id: string;
  number: number;
  /** Bytes of each text that the page may hold. */
  most: number;
  /** Whether its code stands further up already. */
  codeAbove: boolean;
};

/** A call's section. */
export function CallSection(props: Props) {
  const { call, number } = props;
  return (
    <section class="card call" aria-labelledby={`call-${number}`}>
      <div class="row">
        <h2 id={`call-${number}`}>Call {number}</h2>
        {call.verdict === null ? null : (
          <Chip tone={CALL_VERDICTS[call.verdict].tone}>{call.verdict}</Chip>
        )}
        <code class="faint id">{call.id}</code>
      </div>
      <p class="meaning">
        {call.verdict === null ? null : CALL_VERDICTS[call.verdict].meaning}
        {call.source === null ? null : ` Source: ${call.source}, which ${CHANNELS[call.source]}.`}
      </p>
      {props.codeAbove ? (
        <p class="nothing">Its code stands above, with the control.</p>
      ) : (
        <CallCode call={call} most={props.most} number={number} />
      )}
      <h3>Outputs</h3>
      <Outputs call={call} id={props.id} most={props.most} />
    </section>
  );
}

/** A call's Python; very long code is cut. */
export function CallCode(props: { call: Pick<Call, "code">; most: number; number: number }) {
  if (props.call.code === null) return <p class="nothing">OpenAI sent no code.</p>;
  const part = toExcerpt(props.call.code, props.most);
  return (
    <>
      <PythonCode code={part.text} label={`Python of call ${props.number}`} />
      {part.isWhole ? null : (
        <p class="note">Cut here: {part.size} in all. The raw response has the rest.</p>
      )}
    </>
  );
}
