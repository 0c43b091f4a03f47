// Bodies of megabytes take several times their size in memory, and all objects of an isolate share 128 MB.
// https://developers.cloudflare.com/durable-objects/platform/limits/
import { sleep } from "../../lib/retry.ts";

/** Large bodies that are under way in an isolate at once; the others wait. */
const MAX_LARGE_BODIES = 2;
/** Milliseconds between a waiting object's looks for room. A queue would stop at an object that died while it waited. */
const POLL_MS = 100;

/** The reservations of this isolate, each with the moment at which it ends by itself: an object that is reset runs no clean-up, and its isolate lives on. */
const reservations = new Map<symbol, number>();

/**
 * Waits until there is room for another large body in this isolate.
 * @param untilMs Until when the body may be under way, in milliseconds since 1970.
 * @returns Frees the room. It may be called more than once.
 */
export async function reserveLargeBody(untilMs: number): Promise<() => void> {
  while (!hasRoom()) await sleep(POLL_MS);
  const reservation = Symbol("large body");
  reservations.set(reservation, untilMs);
  return () => reservations.delete(reservation);
}

function hasRoom(): boolean {
  const nowMs = Date.now();
  for (const [reservation, untilMs] of reservations) {
    if (untilMs <= nowMs) reservations.delete(reservation);
  }
  return reservations.size < MAX_LARGE_BODIES;
}
