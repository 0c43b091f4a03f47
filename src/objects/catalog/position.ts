// A run's position in the list is a number: the milliseconds at which its recording began, then a slot within that millisecond.
// As SQLite's rowid it sorts the list, is the row of the search text, and finds the row of a run without an index of ids,
// which would cost one written row more for each run.

/** Runs that can begin within one millisecond. Positions stay below Number.MAX_SAFE_INTEGER until the year 2248. */
const SLOTS = 1024;
const DIGITS = 16;

/** A run as the Catalog finds it: its id, and when its recording began, which never changes. */
export type RunKey = { id: string; startedAtMs: number };

/** The first position of a millisecond. */
export function firstPosition(atMs: number): number {
  return atMs * SLOTS;
}

/** When the recording of the run at a position began. */
export function toStartedAtMs(position: number): number {
  return Math.floor(position / SLOTS);
}

/**
 * The lowest position of a millisecond that is not taken.
 * @param taken Positions within that millisecond.
 */
export function freePosition(atMs: number, taken: number[]): number {
  const first = firstPosition(atMs);
  for (let position = first; position < first + SLOTS; position += 1) {
    if (!taken.includes(position)) return position;
  }
  throw new RangeError(`More than ${SLOTS} runs began within a millisecond.`);
}

/** A cursor of the list: the position of a page's last row. */
export function encodeCursor(position: number): string {
  return btoa(String(position).padStart(DIGITS, "0")).replace(/=+$/, "");
}

/**
 * The position that a cursor stands for.
 * @returns Null for a text that is no cursor.
 */
export function decodeCursor(cursor: string): number | null {
  const digits = decodeBase64(cursor);
  if (!/^\d{16}$/.test(digits)) return null;
  const position = Number(digits);
  // Base64 has several spellings of the same bytes.
  return Number.isSafeInteger(position) && encodeCursor(position) === cursor ? position : null;
}

function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
