// Beginnings of long texts, so that a page stays small.
import { formatBytes } from "../format.ts";

/** The beginning of a text. `size` is the size of the whole text, for people. */
export type Excerpt = { text: string; isTruncated: boolean; size: string };

/**
 * Truncates a text at `maxBytes` of UTF-8, never inside a character.
 * @param totalBytes The size of the whole text, when `text` is only its beginning.
 */
export function toExcerpt(
  text: string,
  maxBytes: number,
  totalBytes: number | null = null,
): Excerpt {
  const encoder = new TextEncoder();
  const head = encoder.encode(text.slice(0, maxBytes));
  if (totalBytes === null && text.length <= maxBytes && head.byteLength <= maxBytes) {
    return { text, isTruncated: false, size: formatBytes(head.byteLength) };
  }
  const beginning = new TextDecoder().decode(head.subarray(0, maxBytes)).replace(/\ufffd+$/, "");
  const size = formatBytes(totalBytes ?? encoder.encode(text).byteLength);
  return { text: beginning, isTruncated: true, size };
}

/** The end of a text: at most `maxBytes` of UTF-8. */
export function toEnding(text: string, maxBytes: number): string {
  const tail = new TextEncoder().encode(text.slice(Math.max(0, text.length - maxBytes)));
  const end = tail.subarray(Math.max(0, tail.byteLength - maxBytes));
  return new TextDecoder().decode(end).replace(/^\ufffd+/, "");
}
