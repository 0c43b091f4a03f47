// The lines in which two texts differ.

/** Lines of a text, from 0; `to` is the first line after them. */
export type LineRange = { from: number; to: number };

/**
 * The lines of a text between its first and its last difference from another.
 * @returns Null when there is none.
 */
export function findDifference(text: string, other: string): LineRange | null {
  const [lines, otherLines] = [toLines(text), toLines(other)];
  const from = lines.findIndex((line, index) => line !== otherLines[index]);
  if (from === -1) return null;
  const max = Math.min(lines.length, otherLines.length) - from;
  let tail = 0;
  while (tail < max && lines.at(-1 - tail) === otherLines.at(-1 - tail)) tail += 1;
  return { from, to: lines.length - tail };
}

function toLines(text: string): string[] {
  return text.split("\n");
}
