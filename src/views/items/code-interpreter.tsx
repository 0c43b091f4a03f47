// A code interpreter call: its code, and what it printed and drew.
import * as z from "zod";
import { CodeBlock } from "../components/code-block.tsx";
import { Picture } from "../components/picture.tsx";
import { Printed } from "../components/printed-text.tsx";
import { formatJson } from "./fields.ts";
import { toOutputsUrl, toResponseUrl, type PartProps } from "./part.ts";

/** The end and the size of a text, when the output has only its beginning. */
const Cut = z.object({ end: z.string().catch(""), bytes: z.number() }).nullish();
const Logs = z.looseObject({ type: z.literal("logs"), logs: z.string(), cut: Cut });
const Image = z.looseObject({ type: z.literal("image"), url: z.string() });

const Item = z.looseObject({
  code: z.string().nullable().catch(null),
  outputs: z.array(z.unknown()).nullable().catch(null),
});

// Another channel may have what the response lacks, so the record's call comes first.
function toCode({ call, item }: PartProps): string | null {
  return call?.code ?? Item.safeParse(item.value).data?.code ?? null;
}

function toOutputs({ call, item }: PartProps): unknown[] | null {
  return call?.outputs ?? Item.safeParse(item.value).data?.outputs ?? null;
}

/** The Python code of a call. */
export function PythonRequest(props: PartProps) {
  const code = toCode(props);
  if (code === null) return <p class="placeholder">OpenAI sent no code.</p>;
  return (
    <CodeBlock
      text={code}
      title="Code"
      id={`${props.name}-code`}
      maxBytes={props.page.maxBytes}
      wholeUrl={toResponseUrl(props.page)}
      isPython
    />
  );
}

/** The outputs of a call. */
export function PythonResult(props: PartProps) {
  const outputs = toOutputs(props);
  if (outputs === null || outputs.length === 0) {
    return (
      <p class="placeholder">
        No outputs: OpenAI returned <code>{outputs === null ? "null" : "[ ]"}</code>.
      </p>
    );
  }
  return (
    <>
      {outputs.map((output, index) => (
        <OutputItem {...props} printout={output} index={index} isOnly={outputs.length === 1} />
      ))}
    </>
  );
}

type OutputProps = PartProps & { printout: unknown; index: number; isOnly: boolean };

function OutputItem(props: OutputProps) {
  const { printout, index, page } = props;
  const image = Image.safeParse(printout);
  if (image.success) return <ImageOutput {...props} url={image.data.url} />;
  const logs = Logs.safeParse(printout);
  if (logs.success) return <LogsOutput {...props} logs={logs.data} />;
  return (
    <CodeBlock
      text={formatJson(printout)}
      title="An output of another type"
      id={`${props.name}-output-${index}`}
      maxBytes={page.maxBytes}
      wholeUrl={toResponseUrl(page)}
    />
  );
}

function LogsOutput(props: OutputProps & { logs: z.infer<typeof Logs> }) {
  const { logs, other } = props;
  return (
    <Printed
      printed={{ text: logs.logs, cut: logs.cut ?? null }}
      other={
        other === null
          ? null
          : joinLogs(
              props.isOnly ? other.outputs : other.outputs?.slice(props.index, props.index + 1),
            )
      }
      title={props.isOnly ? "Printed text" : `Printed text ${props.index + 1}`}
      id={`${props.name}-output-${props.index}`}
      maxBytes={props.page.maxBytes}
      url={toOutputsUrl(props)}
    />
  );
}

function ImageOutput(props: OutputProps & { url: string }) {
  const { item, index, number } = props;
  return (
    <Picture
      source={props.url}
      href={`/results/${props.page.id}/images/${encodeURIComponent(item.id ?? "")}/${index}`}
      alt={`Output ${index + 1} of the call, an image`}
      filename={`call-${number ?? 0}-output-${index + 1}`}
    />
  );
}

/** What a call printed, joined. */
export function joinLogs(outputs: unknown[] | null | undefined): string {
  return (outputs ?? []).map((output) => Logs.safeParse(output).data?.logs ?? "").join("");
}

/** The sizes of the texts that a page shows of a call. */
export function toTextSizes(call: { code: string | null; outputs: unknown[] | null }): number[] {
  const logs = (call.outputs ?? []).flatMap((output) => Logs.safeParse(output).data ?? []);
  return [call.code?.length ?? 0, ...logs.map((output) => output.cut?.bytes ?? output.logs.length)];
}

/** What tells a call's outputs apart from those of another: its texts, their digests, and how many others there are. */
export function toOutputsKey(outputs: unknown[] | null | undefined): string {
  const others = (outputs ?? []).filter((output) => !Logs.safeParse(output).success);
  const digests = (outputs ?? []).map((output) => Digest.safeParse(output).data?.cut.digest);
  return JSON.stringify([joinLogs(outputs), digests, others.length]);
}

const Digest = z.looseObject({ cut: z.looseObject({ digest: z.string() }) });
