// Finds the record of a response: readers ask the instance first, and KV only when the record is there.
import type { Reading } from "./history.ts";
import type { StoredRecord } from "../record/schema.ts";
import { readRecord, type StoredEntry } from "../storage/kv.ts";

/** What is known of a response, its body unread. */
export type Found = { known: StoredRecord; body: StoredEntry["body"] | null };

/**
 * A response's record.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param asked What its instance said.
 * @returns Null when there is none.
 */
export async function recordOf(env: Env, id: string, asked: Reading): Promise<Found | null> {
  if (asked.state === "deleted") return null;
  if (asked.state === "running" && asked.known.verdict === "pending")
    return { known: asked.known, body: null };
  if (asked.state !== "unknown" && asked.known.excluded) return null;
  const stored = await readRecord(env, id);
  if (stored !== null) return { known: fresher(stored.record, asked), body: stored.body };
  return asked.state === "unknown" ? null : { known: asked.known, body: null };
}

// A look that changed nothing is not stored at once; the history has it already.
function fresher(stored: StoredRecord, asked: Reading): StoredRecord {
  if (asked.state !== "running") return stored;
  // A crash can come between the record's write and the end of its step.
  if (asked.known.observations.length < stored.observations.length) return stored;
  return { ...stored, observations: asked.known.observations };
}
