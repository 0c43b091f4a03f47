// Runs tasks with a bounded concurrency, and summarises how long they took.

/**
 * Runs a task `count` times, at most `concurrency` at once.
 * @param task Gets its number, from 0.
 * @returns The results in the order of their numbers.
 */
export async function runConcurrently<T>(
  concurrency: number,
  count: number,
  task: (n: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const runNext = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await task(n);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, runNext));
  return results;
}

/**
 * Runs a task as `runConcurrently` does, and measures it.
 * @returns The milliseconds of each task, and the seconds of all together.
 */
export async function timeConcurrently(
  concurrency: number,
  count: number,
  task: (n: number) => Promise<unknown>,
): Promise<{ samplesMs: number[]; seconds: number }> {
  const startedAt = performance.now();
  const samplesMs = await runConcurrently(concurrency, count, async (n) => {
    const taskStartedAt = performance.now();
    await task(n);
    return performance.now() - taskStartedAt;
  });
  return { samplesMs, seconds: (performance.now() - startedAt) / 1000 };
}

/** Gives the value below which so many percent of the samples lie, the lowest for 0; NaN without samples. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
