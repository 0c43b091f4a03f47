// What a call showed, as it was: text as text, pictures from our own route.
import * as z from "zod";
import type { Call } from "../../record/schema.ts";
import { detectImageType } from "../text/image.ts";
import { toExcerpt, Preformatted, IsolatedText } from "./safe-text.tsx";

/** What a text has in all, where only its beginning is here. */
const Cut = z.object({ bytes: z.number() }).optional();
const Output = z.union([
  z.looseObject({ type: z.literal("logs"), logs: z.string(), cut: Cut }),
  z.looseObject({ type: z.literal("image"), url: z.string() }),
]);

/** Lines and letters above which printed text is folded. */
const FOLD_ABOVE = { lines: 40, letters: 4_000 };

type Props = {
  call: Pick<Call, "id" | "outputs">;
  /** The response's id, for its routes. */
  id: string;
  /** Bytes of each text that the page may hold. */
  most: number;
};

/** The outputs of one call. */
export function Outputs(props: Props) {
  const outputs = props.call.outputs ?? [];
  if (outputs.length === 0) {
    const value = props.call.outputs === null ? "null" : "[ ]";
    return (
      <p class="nothing">
        No outputs: OpenAI returned <code>{value}</code>.
      </p>
    );
  }
  return (
    <>
      {outputs.map((output, index) => (
        <OutputItem {...props} output={output} index={index} />
      ))}
    </>
  );
}

function OutputItem(props: Props & { output: unknown; index: number }) {
  const parsed = Output.safeParse(props.output);
  if (!parsed.success) return <UnknownOutput output={props.output} most={props.most} />;
  if (parsed.data.type === "logs")
    return <LogsOutput {...props} text={parsed.data.logs} bytes={parsed.data.cut?.bytes ?? null} />;
  return <ImageOutput {...props} url={parsed.data.url} />;
}

function LogsOutput(props: Props & { text: string; bytes: number | null; index: number }) {
  const part = toExcerpt(props.text, props.most, props.bytes);
  const label = `Printed text ${props.index + 1}`;
  const lines = part.text.split("\n").length;
  const text = (
    <>
      <Preformatted text={part.text} label={label} />
      {part.isWhole ? null : (
        <p class="note">
          Cut here: {part.size} in all. <a href={`/results/${props.id}/outputs`}>The whole text</a>
        </p>
      )}
    </>
  );
  if (part.isWhole && lines <= FOLD_ABOVE.lines && part.text.length <= FOLD_ABOVE.letters)
    return text;
  return (
    <details>
      <summary>
        {label}, {part.size}
      </summary>
      {text}
    </details>
  );
}

function ImageOutput(props: Props & { url: string; index: number }) {
  if (detectImageType(props.url) === null) {
    return (
      <p class="nothing">
        An image that is not shown: only PNG, JPEG, GIF and WebP inside the response are. It begins{" "}
        <code>
          <IsolatedText text={props.url.slice(0, 60)} />
        </code>
      </p>
    );
  }
  const source = `/results/${props.id}/images/${encodeURIComponent(props.call.id)}/${props.index}`;
  return (
    <a class="picture" href={source}>
      <img src={source} alt={`Output ${props.index + 1} of the call, an image`} loading="lazy" />
    </a>
  );
}

function UnknownOutput(props: { output: unknown; most: number }) {
  const part = toExcerpt(JSON.stringify(props.output, null, 2) ?? "undefined", props.most);
  return <Preformatted text={part.text} label="An output of another kind" />;
}
