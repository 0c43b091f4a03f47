// A reader that waits for the end of a run, and wants to know its status meanwhile.
import type { Random } from "./random.ts";

/** From when to when it waits, in seconds; null: there is none. */
export type ReaderScript = { from: number; to: number } | null;

const MAX_WAIT_SECONDS = 1_200;

/** Draws the reader of a response. */
export function drawReader(random: Random): ReaderScript {
  if (!random.chance(0.3)) return null;
  const from = random.pick([0, 0, 100, 1_000]) * random.next();
  return { from, to: from + random.between(0, MAX_WAIT_SECONDS) };
}
