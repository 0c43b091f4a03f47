// The beginning and the end of a text that is too long for a page.
import { stringChunks } from "../../lib/json-scan.ts";

/** Characters of a text's beginning, and of its end. */
const MAX_BEGINNING_LENGTH = 32 * 1024;
const MAX_END_LENGTH = 8 * 1024;

/** What is kept of a long text. `bytes` is the size of the whole. */
export type CutText = { beginning: string; end: string; bytes: number };

/**
 * Cuts a long text without decoding it at once.
 * @param text A string as JSON.
 */
export function cutText(text: Uint8Array): CutText {
  const encoder = new TextEncoder();
  const cut = { beginning: "", end: "", bytes: 0 };
  for (const chunk of stringChunks(text)) {
    const room = MAX_BEGINNING_LENGTH - cut.beginning.length;
    if (room > 0) cut.beginning += chunk.slice(0, room);
    cut.end = (cut.end + chunk).slice(-MAX_END_LENGTH);
    cut.bytes += encoder.encode(chunk).byteLength;
  }
  return cut;
}
