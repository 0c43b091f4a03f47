// How much of each text a page shows, so that the page stays small.

/** A text is never cut below this, nor shown beyond the other. */
const MIN_TEXT_BYTES = 240;
const MAX_TEXT_BYTES = 16_000;

/**
 * The size that each of several texts may have when all of them share a budget. What short texts leave goes to the long ones.
 * @param sizes The sizes of the texts in bytes, or about that.
 */
export function shareBudget(sizes: number[], budget: number): number {
  let rest = budget;
  const sorted = sizes.toSorted((a, b) => a - b);
  for (const [index, size] of sorted.entries()) {
    const share = Math.floor(rest / (sorted.length - index));
    if (size > share) return Math.min(MAX_TEXT_BYTES, Math.max(MIN_TEXT_BYTES, share));
    rest -= size;
  }
  return MAX_TEXT_BYTES;
}
