// A reader of a Connection that joins, leaves and resumes at random.
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../resilience/simulation/random.ts";
import { readEvents, type ReadEvent } from "./connection-worker.ts";

/** How a reader behaves. */
export type ReaderOptions = {
  /** It joins after up to so many milliseconds. */
  maxJoinMs: number;
  /** It leaves after up to so many events, and comes back. */
  maxEvents: number;
  /** It is away for up to so many milliseconds. */
  maxAwayMs: number;
};

/** What a reader got, in its order, and how often it left, or was cut off. */
export type ReaderResult = { events: ReadEvent[]; leaves: number; breaks: number };

/**
 * Reads a Connection until its stream has ended, each time after the last event that came.
 * @param random Draws when it joins, leaves and resumes.
 */
export async function readAtRandom(
  url: string,
  name: string,
  random: Random,
  { maxJoinMs, maxEvents, maxAwayMs }: ReaderOptions,
): Promise<ReaderResult> {
  const result: ReaderResult = { events: [], leaves: 0, breaks: 0 };
  await sleep(random.whole(0, maxJoinMs));
  while (!(await readSome(url, name, random.whole(1, maxEvents), result))) {
    await sleep(random.whole(0, maxAwayMs));
  }
  return result;
}

/** @returns Whether the stream has ended. */
async function readSome(
  url: string,
  name: string,
  limit: number,
  result: ReaderResult,
): Promise<boolean> {
  const { events } = result;
  const end = events.length + limit;
  try {
    for await (const event of readEvents(url, name, events.at(-1)?.number ?? 0)) {
      events.push(event);
      if (events.length < end) continue;
      result.leaves += 1;
      return false;
    }
    return true;
  } catch {
    result.breaks += 1;
    return false;
  }
}
