import type { NextCheck } from "../../record/observed/next-check.ts";
import type { StoredRecord } from "../../record/schema.ts";

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

/** What OpenAI showed of a run in flight, and when; no moment while a Connection shows it. */
export type StatusReading = { status: string | null; at: string | null };

/** The status of a run; null when it is not in flight. */
export function toStatusReading(record: StoredRecord): StatusReading | null {
  if (record.verdict !== "pending") return null;
  return { status: record.status, at: record.connection_due ? null : record.status_at };
}

/** The calls that a channel had: an array as JSON, as far as the object's own rows have them, and whether KV has some. */
export type OutputsReading = { rows: Uint8Array | null; isInKv: boolean };
