// Waits for something outside this process, by asking for it repeatedly.
import { setTimeout as sleep } from "node:timers/promises";

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 5_000;

/** What a read gives while the wait goes on. */
type NotYet = null | false;

/**
 * Reads a value every `intervalMs` until the read gives neither null nor false.
 * @param read Gives the value, or null or false while it isn't there yet. An error of the read ends the wait.
 * @returns The value.
 * @throws When `timeoutMs` has passed; without it the wait has no end.
 */
export async function pollUntil<T>(
  read: () => T | NotYet | Promise<T | NotYet>,
  { intervalMs, timeoutMs = Infinity }: { intervalMs: number; timeoutMs?: number },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== null && value !== false) return value;
    if (Date.now() >= deadline) throw new Error(`Timed out after ${timeoutMs} ms.`);
    await sleep(intervalMs);
  }
}

/**
 * Retries a check until it passes, after 0.25, 0.5, 1, 2, 4, 5, 5 … seconds.
 * @param check Gives null when it passes, else the problem. An error that it throws is a problem too.
 * @param timeoutMs No retry begins later than this after the first check.
 * @throws The last problem.
 */
export async function retryUntil(
  check: () => Promise<string | null>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    const problem = await check().catch((error: unknown) => String(error));
    if (problem === null) return;
    if (Date.now() + delayMs > deadline) throw new Error(problem);
    await sleep(delayMs);
  }
}
