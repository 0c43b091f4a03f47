import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits. Rejects with an AbortError when the signal fires first. */
export async function sleepSeconds(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal });
}

/** Waits, but returns early when the client closes the connection. */
export async function sleepWhileConnected(
  outgoing: ServerResponse,
  seconds: number,
): Promise<void> {
  const disconnected = new AbortController();
  outgoing.once("close", () => disconnected.abort());
  await sleepSeconds(seconds, disconnected.signal).catch(() => undefined);
}
