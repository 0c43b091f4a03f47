import type { NextCheck } from "../../record/observed/next-check.ts";

/** How long to wait until a record can be read, or until it is settled and its files are copied. */
export type ReadOptions = { waitSeconds?: number; until?: "readable" | "settled" };

/** What is known of a run: its record as JSON, and where the response's body is. */
export type RecorderReading = {
  record: string;
  body: "rows" | "kv" | "none";
  /** Seconds until the next observation; null when none is planned. An object that a deploy has not reached does not say it. */
  retryAfterSeconds?: number | null;
  /** The next planned refetch of a run that has ended. An object that a deploy has not reached does not say it. */
  nextCheck?: NextCheck | null;
};

/** The calls that a channel had: an array as JSON, as far as the object's own rows have them, and whether KV has some. */
export type OutputsReading = { rows: Uint8Array | null; isInKv: boolean };
