/**
 * The value below or at which a part of all values is, by the nearest rank.
 * @param sorted Ascending.
 * @param part From 0 to 1.
 * @returns Null when there are no values.
 */
export function percentile(sorted: ArrayLike<number>, part: number): number | null {
  const index = Math.max(0, Math.ceil(sorted.length * part) - 1);
  return sorted[index] ?? null;
}
