// Text from a model, a file or OpenAI can contain characters that are invisible or reverse the text around them. Here they become visible.

// Control characters except tab and line feed, direction marks, zero-width characters, and unusual line separators.
// The joiners U+200C and U+200D stay: emoji and several scripts need them.
const HIDDEN_CHARACTERS = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const LONE_SURROGATES = /\p{Surrogate}/gu;

const CONTROL_NAMES =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/** A part of a text: `hidden` parts are the name of one hidden character. */
export type TextPart = { text: string; hidden: boolean };

/** Replaces each hidden character of a text by its name in angle brackets. */
export function escapeHidden(text: string): string {
  return splitHidden(text)
    .map((part) => (part.hidden ? `<${part.text}>` : part.text))
    .join("");
}

/** Splits a text at its hidden characters. CRLF becomes LF, and lone surrogates become U+FFFD. */
export function splitHidden(source: string): TextPart[] {
  const text = normalizeText(source);
  const parts: TextPart[] = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN_CHARACTERS)) {
    parts.push({ text: text.slice(from, found.index), hidden: false });
    parts.push({ text: controlPicture(found[0]), hidden: true });
    from = found.index + found[0].length;
  }
  parts.push({ text: text.slice(from), hidden: false });
  return parts.filter((part) => part.text !== "");
}

function normalizeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(LONE_SURROGATES, "\ufffd");
}

// Names, because few fonts have the symbols of U+2400.
function controlPicture(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return CONTROL_NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
