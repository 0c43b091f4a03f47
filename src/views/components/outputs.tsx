// The outputs of a call: text as text, images from a route of this Worker.
import * as z from "zod";
import type { Call } from "../../record/schema.ts";
import { toExcerpt } from "../text/excerpt.ts";
import { detectImageType } from "../text/image.ts";
import { IsolatedText, Preformatted } from "./safe-text.tsx";

/** The size of the whole text, when the output has only its beginning. */
const Cut = z.object({ bytes: z.number() }).optional();
const Output = z.union([
  z.looseObject({ type: z.literal("logs"), logs: z.string(), cut: Cut }),
  z.looseObject({ type: z.literal("image"), url: z.string() }),
]);

/** Longer text is folded. */
const MAX_UNFOLDED_LINES = 40;
const MAX_UNFOLDED_LENGTH = 4_000;
/** Characters of a URL that is not shown as an image. */
const MAX_URL_LENGTH = 60;

type Props = {
  call: Pick<Call, "id" | "outputs">;
  /** The response's id, for links. */
  id: string;
  /** Where the call's whole text is. */
  textUrl: string;
  /** The maximum size of each text on the page. */
  maxBytes: number;
};

/** The outputs of one call. */
export function Outputs(props: Props) {
  const outputs = props.call.outputs ?? [];
  if (outputs.length === 0) {
    const value = props.call.outputs === null ? "null" : "[ ]";
    return (
      <p class="placeholder">
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
  if (!parsed.success) return <UnknownOutput output={props.output} maxBytes={props.maxBytes} />;
  const { data } = parsed;
  if (data.type === "image") return <ImageOutput {...props} url={data.url} />;
  return <LogsOutput {...props} text={data.logs} totalBytes={data.cut?.bytes ?? null} />;
}

function LogsOutput(props: Props & { text: string; totalBytes: number | null; index: number }) {
  const excerpt = toExcerpt(props.text, props.maxBytes, props.totalBytes);
  const label = `Printed text ${props.index + 1}`;
  const content = (
    <>
      <Preformatted text={excerpt.text} label={label} />
      {excerpt.isTruncated ? (
        <p class="note">
          Truncated: {excerpt.size} in total. <a href={props.textUrl}>The whole text</a>
        </p>
      ) : null}
    </>
  );
  if (!excerpt.isTruncated && isShort(excerpt.text)) return content;
  return (
    <details>
      <summary>
        {label}, {excerpt.size}
      </summary>
      {content}
    </details>
  );
}

function isShort(text: string): boolean {
  return text.length <= MAX_UNFOLDED_LENGTH && text.split("\n").length <= MAX_UNFOLDED_LINES;
}

function ImageOutput(props: Props & { url: string; index: number }) {
  if (detectImageType(props.url) === null) {
    return (
      <p class="placeholder">
        This image is not shown: only PNG, JPEG, GIF and WebP inside the response are. Its URL
        begins with{" "}
        <code>
          <IsolatedText text={props.url.slice(0, MAX_URL_LENGTH)} />
        </code>
      </p>
    );
  }
  const source = `/results/${props.id}/images/${encodeURIComponent(props.call.id.toWellFormed())}/${props.index}`;
  return (
    <a class="image" href={source}>
      <img src={source} alt={`Output ${props.index + 1} of the call, an image`} loading="lazy" />
    </a>
  );
}

function UnknownOutput(props: { output: unknown; maxBytes: number }) {
  const json = JSON.stringify(props.output, null, 2) ?? "undefined";
  return (
    <Preformatted text={toExcerpt(json, props.maxBytes).text} label="An output of another type" />
  );
}
