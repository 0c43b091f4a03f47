// Load that is bounded and ends by itself, and what its times come to.

/**
 * Does a task so many times, never more than `width` at once.
 * @param width How many at once.
 * @param count How many in all.
 * @param task Gets its number.
 */
export async function inFlight<T>(
  width: number,
  count: number,
  task: (n: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await task(n);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
  return results;
}

/** The same, with the time of each. */
export async function timed(
  width: number,
  count: number,
  task: (n: number) => Promise<unknown>,
): Promise<{ samples: number[]; seconds: number }> {
  const began = performance.now();
  const samples = await inFlight(width, count, async (n) => {
    const start = performance.now();
    await task(n);
    return performance.now() - start;
  });
  return { samples, seconds: (performance.now() - began) / 1000 };
}

/** The value below which so many percent of the samples lie. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
}
