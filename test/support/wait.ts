// Waits for something that the Worker or the emulator does in the background.
import { pollUntil } from "../../scripts/lib/retry.ts";

const POLL = { intervalMs: 50 };

/** Waits until a condition holds. */
export async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  await pollUntil(condition, POLL);
}

/** Reads a value until it passes; returns it. */
export function waitFor<T>(read: () => Promise<T>, passes: (value: T) => boolean): Promise<T> {
  return pollUntil(async () => {
    const value = await read();
    return passes(value) ? { value } : null;
  }, POLL).then(({ value }) => value);
}
