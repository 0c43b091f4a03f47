// Long printed text: its first and its last lines, with the rest folded, or left out when it is too much for a page.
import { toEnding, toExcerpt } from "./excerpt.ts";
import { formatBytes } from "../format.ts";

/** Text with more lines than this is folded. */
const MAX_UNFOLDED_LINES = 40;
/** Lines that are shown of longer text, at its beginning and at its end. */
const SHOWN_LINES = 15;

/** What a page has of a text: all of it, or its beginning and its end, and the size of the whole. */
export type PrintedText = { text: string; cut: { end: string; bytes: number } | null };

/** Lines of a text that stand together; `from` is the number of the first, from 0. */
export type LineGroup = { lines: string[]; from: number; isFolded: boolean };

/** What is shown of a text. `isCut`: something between the first two groups is left out. */
export type LineExcerpt = { groups: LineGroup[]; isCut: boolean; size: string };

/** The excerpt of a text that takes at most `maxBytes`. */
export function toLineExcerpt({ text, cut }: PrintedText, maxBytes: number): LineExcerpt {
  const whole = toExcerpt(text, maxBytes);
  if (cut === null && !whole.isTruncated) {
    return { groups: groupLines(toLines(text)), isCut: false, size: whole.size };
  }
  const half = Math.floor(maxBytes / 2);
  const first = toLines(toExcerpt(text, half).text).slice(0, SHOWN_LINES);
  const last = toLines(toEnding(cut?.end ?? text, half)).slice(-SHOWN_LINES);
  const size = cut === null ? whole.size : formatBytes(cut.bytes);
  // The number of a line after what was cut is not known.
  const groups = [toGroup(first, 0), toGroup(last, Infinity)];
  return { groups, isCut: true, size };
}

function groupLines(lines: string[]): LineGroup[] {
  if (lines.length <= MAX_UNFOLDED_LINES) return [toGroup(lines, 0)];
  const end = lines.length - SHOWN_LINES;
  return [
    toGroup(lines.slice(0, SHOWN_LINES), 0),
    { ...toGroup(lines.slice(SHOWN_LINES, end), SHOWN_LINES), isFolded: true },
    toGroup(lines.slice(end), end),
  ];
}

function toGroup(lines: string[], from: number): LineGroup {
  return { lines, from, isFolded: false };
}

// A line feed at the end begins no line.
function toLines(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}
