// Text that a model, a file or OpenAI wrote: always text, and nothing in it hidden.
import type { Child } from "hono/jsx";
import { bytes } from "./time.ts";

// C0 but tab and line feed, DEL, C1, and what turns or hides text: direction marks, zero widths, line separators.
// oxlint-disable-next-line no-control-regex
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const LONE = /\p{Surrogate}/gu;

/** Letters above which a line is wrapped rather than scrolled to. */
const LONG_LINE = 300;

/**
 * A sign that stands for a character nobody would see: ␛ for the one that begins a terminal's colours.
 * @param character One that HIDDEN finds.
 */
function signOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/**
 * Makes hidden characters visible in text.
 * @param text What somebody else wrote.
 */
export function visible(text: string): string {
  return tidy(text).replaceAll(HIDDEN, signOf);
}

/**
 * Makes hidden characters visible in HTML that is escaped already; tags hold none.
 * @param html Escaped HTML.
 */
export function visibleHtml(html: string): string {
  return tidy(html).replaceAll(HIDDEN, (found) => `<span class="sign">${signOf(found)}</span>`);
}

// A line's end is a line's end, however it is written.
function tidy(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(LONE, "\ufffd");
}

/** Text with its hidden characters marked. */
export function Visible(props: { text: string }) {
  const text = tidy(props.text);
  const parts: Child[] = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    parts.push(text.slice(from, found.index));
    parts.push(<span class="sign">{signOf(found[0])}</span>);
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return <bdi>{parts}</bdi>;
}

/** A text's beginning, and how much there is in all. */
export type Excerpt = { text: string; whole: boolean; size: string };

/**
 * The beginning of a text, never half a character.
 * @param text The text.
 * @param most Letters at the most.
 */
export function excerpt(text: string, most: number): Excerpt {
  const whole = text.length <= most;
  const cut = whole ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
  return { text: cut, whole, size: bytes(new TextEncoder().encode(text).byteLength) };
}

/** Printed text: monospaced, in its own lines; very long lines wrap. */
export function Printed(props: { text: string; label: string }) {
  const long = props.text.split("\n").some((line) => line.length > LONG_LINE);
  return (
    <pre class={long ? "printed wrap" : "printed"} tabindex={0} role="group" aria-label={props.label}>
      <Visible text={props.text} />
    </pre>
  );
}
