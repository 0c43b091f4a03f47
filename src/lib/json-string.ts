// Where JSON strings end, and where they can be cut: shared by the scanners, which work on bytes.

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const LETTER_U = 0x75;

/** More than any count of bytes that \u lacks. */
const AFTER_BACKSLASH = 5;

/**
 * The number of backslashes directly before a position.
 * @param start The count goes no further back than this position.
 * @param end The position.
 */
export function countBackslashes(json: Uint8Array, start: number, end: number): number {
  let from = end;
  while (from > start && json[from - 1] === BACKSLASH) from -= 1;
  return end - from;
}

/** Whether a byte belongs to a UTF-8 character and is not its first byte. */
export function isContinuationByte(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * Follows escapes through a string, byte by byte.
 * @param before What the last call returned; 0 at the beginning of the string.
 * @returns 0 outside an escape; otherwise the number of bytes that a \u escape still lacks, or 5 right after a backslash.
 */
export function nextEscapeState(byte: number, before: number): number {
  if (before === 0) return byte === BACKSLASH ? AFTER_BACKSLASH : 0;
  if (before === AFTER_BACKSLASH) return byte === LETTER_U ? 4 : 0;
  return before - 1;
}
