// Retries with fixed delays, and time limits.

/**
 * Calls a function until it succeeds.
 * @param delaysMs Milliseconds to wait after each failure; there is one call more than there are delays.
 * @param call The function.
 * @param onFailure Learns of each failure, the last one included.
 * @throws What the last call threw.
 */
export async function retry<T>(
  delaysMs: readonly number[],
  call: () => Promise<T>,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<T> {
  for (const delay of delaysMs) {
    try {
      return await call();
    } catch (error) {
      onFailure(error);
      await sleep(delay);
    }
  }
  try {
    return await call();
  } catch (error) {
    onFailure(error);
    throw error;
  }
}

/**
 * Waits for a promise, but not longer than a time limit.
 * @param limitMs Milliseconds.
 * @param fallback What to return when the time is up. The promise itself goes on.
 */
export async function withTimeout<T, F>(
  promise: Promise<T>,
  limitMs: number,
  fallback: F,
): Promise<T | F> {
  const { promise: timeout, resolve } = Promise.withResolvers<F>();
  const timer = setTimeout(() => resolve(fallback), limitMs);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a number of milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
