// Text that a model, a file or OpenAI wrote: always text, and nothing in it hidden.
import type { Child } from "hono/jsx";
import { formatBytes } from "../text/format.ts";

// Control characters but tab and line feed, what turns or hides text (direction marks, zero widths), and odd line ends.
// The joiners stay: emoji and several scripts are written with them.
const HIDDEN_CHARACTERS = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Letters above which a line is wrapped rather than scrolled to. */
const WRAP_LENGTH = 300;

const CONTROL_NAMES =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

// What stands for a character nobody would see. Names, for few fonts have the signs of U+2400.
function controlPicture(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return CONTROL_NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * Makes hidden characters visible in text.
 * @param text What somebody else wrote.
 */
export function escapeHidden(text: string): string {
  return normalizeText(text).replaceAll(HIDDEN_CHARACTERS, (found) => `<${controlPicture(found)}>`);
}

// A line's end is a line's end, however it is written.
function normalizeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(LONE_SURROGATES, "\ufffd");
}

/** Text with its hidden characters marked, on its own: what it holds doesn't turn what stands around it. */
export function IsolatedText(props: { text: string }) {
  return (
    <bdi>
      <EscapedText text={props.text} />
    </bdi>
  );
}

/** Part of a text, with its hidden characters marked. */
export function EscapedText(props: { text: string }) {
  const text = normalizeText(props.text);
  const parts: Child[] = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN_CHARACTERS)) {
    parts.push(text.slice(from, found.index));
    parts.push(<span class="sign">{controlPicture(found[0])}</span>);
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return <>{parts}</>;
}

/** A text's beginning, and how much there is in all. */
export type Excerpt = { text: string; isWhole: boolean; size: string };

/**
 * The beginning of a text, never half a character.
 * @param text The text.
 * @param most Bytes at the most.
 * @param all How many bytes there are in all, where this is but the beginning.
 */
export function toExcerpt(text: string, most: number, all: number | null = null): Excerpt {
  const encoder = new TextEncoder();
  const head = encoder.encode(text.slice(0, most));
  if (all === null && text.length <= most && head.byteLength <= most) {
    return { text, isWhole: true, size: formatBytes(head.byteLength) };
  }
  const cut = new TextDecoder().decode(head.subarray(0, most)).replace(/\ufffd+$/, "");
  return { text: cut, isWhole: false, size: formatBytes(all ?? encoder.encode(text).byteLength) };
}

/** Printed text: monospaced, in its own lines; very long lines wrap. */
export function Preformatted(props: { text: string; label: string }) {
  const long = props.text.split("\n").some((line) => line.length > WRAP_LENGTH);
  return (
    <pre
      class={long ? "printed wrap" : "printed"}
      tabindex={0}
      role="group"
      aria-label={props.label}
    >
      <IsolatedText text={props.text} />
    </pre>
  );
}
