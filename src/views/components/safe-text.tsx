// Text from a model, a file or OpenAI. It is always text, never HTML, and its hidden characters are visible.
import { splitHidden } from "../text/printed/hidden-characters.ts";

/** A text with a longer line wraps; others scroll sideways. */
const MAX_UNWRAPPED_LENGTH = 300;

/** A text with its hidden characters marked, isolated: its direction doesn't change the text around it. */
export function IsolatedText(props: { text: string }) {
  return (
    <bdi>
      <EscapedText text={props.text} />
    </bdi>
  );
}

/** A text with its hidden characters marked, for use inside an isolated element. */
export function EscapedText(props: { text: string }) {
  return (
    <>
      {splitHidden(props.text).map(({ text, hidden }) =>
        hidden ? <span class="hidden-character">{text}</span> : text,
      )}
    </>
  );
}

/** A text in a monospaced font, with its own lines. */
export function Preformatted(props: { text: string; label: string }) {
  const wraps = props.text.split("\n").some((line) => line.length > MAX_UNWRAPPED_LENGTH);
  return (
    <pre
      class={wraps ? "preformatted wrap" : "preformatted"}
      tabindex={0}
      role="group"
      aria-label={props.label}
    >
      <IsolatedText text={props.text} />
    </pre>
  );
}
