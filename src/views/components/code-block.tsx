// Code, commands and data of an item, with a button that copies them.
import type { Child } from "hono/jsx";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { PythonCode } from "./python-code.tsx";
import { IsolatedText } from "./safe-text.tsx";

type Props = {
  text: string;
  /** What it is, such as "Code". */
  title: string;
  /** The id of the element with the text. */
  id: string;
  maxBytes: number;
  /** The size of the whole text, when `text` is only its beginning. */
  totalBytes?: number | null;
  /** Where the whole text is. */
  wholeUrl: string;
  isPython?: boolean;
};

/** A block of code or data. Only a whole one can be copied. */
export function CodeBlock(props: Props) {
  const { title, id, isPython = false } = props;
  const excerpt = toExcerpt(props.text, props.maxBytes, props.totalBytes ?? null);
  return (
    <>
      <BlockBar title={title}>
        {excerpt.isTruncated ? null : <CopyButton id={id} what={title} />}
      </BlockBar>
      {isPython ? (
        <PythonCode code={excerpt.text} label={title} id={id} />
      ) : (
        <pre id={id} class="wrap" tabindex={0} role="group" aria-label={title}>
          <IsolatedText text={excerpt.text} />
        </pre>
      )}
      {excerpt.isTruncated ? <CutNote size={excerpt.size} url={props.wholeUrl} /> : null}
    </>
  );
}

/** The line above a block: what it is, and what can be done with it. */
export function BlockBar(props: { title: string; children?: Child }) {
  return (
    <div class="block-bar">
      <h4>{props.title}</h4>
      {props.children}
    </div>
  );
}

/** A button that copies an element's text, or with `url` what that answers. */
export function CopyButton(props: { id?: string; url?: string; what: string }) {
  return (
    <button
      type="button"
      class="plain copy"
      data-copy={props.id}
      data-copy-from={props.url}
      aria-label={`Copy: ${props.what}`}
      hidden
    >
      Copy
    </button>
  );
}

/** Says that a text is cut, and where the whole is. */
export function CutNote(props: { size: string; url: string }) {
  return (
    <p class="note">
      Truncated: {props.size} in total. <a href={props.url}>The whole text</a>
    </p>
  );
}

/** A sentence of ours whose code stands between backticks. */
export function InlineCode({ text }: { text: string }) {
  return (
    <>{text.split("`").map((part, index) => (index % 2 === 0 ? part : <code>{part}</code>))}</>
  );
}
