import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/** Polls until a condition holds. */
export async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(POLL_MS);
}

/** Polls until an answer passes; returns it. */
export async function pollUntil<T>(
  poll: () => Promise<T>,
  passes: (answer: T) => boolean,
): Promise<T> {
  for (;;) {
    const answer = await poll();
    if (passes(answer)) return answer;
    await sleep(POLL_MS);
  }
}
