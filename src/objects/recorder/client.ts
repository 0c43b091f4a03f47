// Calls to Recorders. Readers ask the Recorder first; it says where the rest is stored.
import { readPolicy } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { concatChunks, readLines } from "../../lib/byte-stream.ts";
import { addItems } from "../../lib/json-arrays.ts";
import { retry } from "../../lib/retry.ts";
import type { NextCheck } from "../../record/observed/next-check.ts";
import { ProgressUpdate } from "../../record/progress.ts";
import { StoredRecord, toRecorderParams, type Channel } from "../../record/schema.ts";
import { readOutputs, readStoredBody } from "../../storage/kv.ts";
import type { ReadOptions, StatusReading } from "./reading.ts";

/** Milliseconds between attempts to reach a Recorder. */
const RETRY_MS = [100, 500];

/** What is known of a run. */
export type Found = {
  known: StoredRecord;
  /** The response's body; null when none is stored, or when KV does not show it. */
  openBody: () => Promise<ReadableStream<Uint8Array> | null>;
  /** Seconds until the next observation; null when none is planned. */
  retryAfterSeconds: number | null;
  /** The next planned refetch of a run that has ended; null when none is planned. */
  nextCheck: NextCheck | null;
};

/** The Recorder of a response. A stub that failed is of no use any more, so each call asks for a new one. */
export function getRecorder(env: Env, id: string): ReturnType<Env["RECORDER"]["get"]> {
  return env.RECORDER.get(env.RECORDER.idFromName(id));
}

/**
 * Finds a run.
 * @returns Null when nothing is recorded under this id.
 * @throws Problem 404 `not_stored` when what is recorded can't be read.
 */
export async function findRun(
  env: Env,
  id: string,
  { waitSeconds = 0, ...options }: ReadOptions = {},
): Promise<Found | null> {
  const endsAtMs = Date.now() + waitSeconds * 1000;
  // An object that is reset by a deploy, or by a call that failed, is back in less than a second. The wait does not begin again.
  const reading = await retry(RETRY_MS, async () => {
    const leftSeconds = Math.max(0, endsAtMs - Date.now()) / 1000;
    return getRecorder(env, id).read({ ...options, waitSeconds: leftSeconds });
  });
  if (reading === null) return null;
  if (reading === "unreadable") throw unreadable(id);
  const known = StoredRecord.parse(JSON.parse(reading.record));
  return {
    known,
    openBody: () => openBody(env, known, reading.body),
    retryAfterSeconds: reading.retryAfterSeconds ?? null,
    nextCheck: reading.nextCheck ?? null,
  };
}

/**
 * Reads a run with its body, which takes several calls.
 * @param read May be called twice: the run can be deleted, or its body replaced, between two calls.
 * @returns Null when nothing is recorded under this id.
 */
export async function readRun<T>(
  env: Env,
  id: string,
  read: (found: Found) => Promise<T>,
  options?: ReadOptions,
): Promise<T | null> {
  const found = await findRun(env, id, options);
  if (found === null) return null;
  try {
    return await read(found);
  } catch (error) {
    const again = await findRun(env, id);
    if (again === null) return null;
    if (again.known.body?.digest === found.known.body?.digest) throw error;
    return read(again);
  }
}

async function openBody(
  env: Env,
  record: StoredRecord,
  source: "rows" | "kv" | "none",
): Promise<ReadableStream<Uint8Array> | null> {
  if (record.body === null || source === "none") return null;
  const rows =
    source === "rows" ? await getRecorder(env, record.id).readBody(record.body.digest) : null;
  if (rows !== null) return rows;
  // The rows may have been dropped since the record was read: KV has the body then, though it can show it late.
  return readStoredBody(env, record);
}

function unreadable(id: string): Problem {
  const message = `The Recorder can't read the record of ${id}: another version of it wrote the record. Deploy that version, or remove the record by DELETE /results/${id}.`;
  return new Problem("not_stored", message, { id });
}

/**
 * Reads the calls that a channel had.
 * @returns An array as JSON, or null.
 */
export async function readRunOutputs(
  env: Env,
  id: string,
  channel: Channel,
): Promise<Uint8Array | null> {
  const { rows, isInKv } = await getRecorder(env, id).readOutputs(channel);
  const stored = isInKv ? await readOutputs(env, id, channel) : null;
  // The rows have what was added last; KV, when it does not show that yet, has what was there before.
  return rows === null ? stored : concatChunks(addItems(rows, stored));
}

/**
 * Observes a response now: in flight, after its end, or with an id never seen.
 * @param origin The Worker's own.
 * @throws Problem 404 for a run that was deleted, or that can't be read.
 */
export async function refetchRun(env: Env, id: string, origin: string): Promise<void> {
  const at = new Date().toISOString();
  const policy = readPolicy(env, origin);
  const params = toRecorderParams({ id, at, started_by: "refetch", policy });
  const outcome = await retry(RETRY_MS, async () => getRecorder(env, id).refetch(params));
  if (outcome === "unreadable") throw unreadable(id);
  if (outcome === "accepted") return;
  const message =
    "This record was deleted, and for 72 hours its id is not recorded again. Trigger a new run.";
  throw new Problem("not_found", message, { id });
}

/**
 * Deletes everything that is stored of a run, and ends its Connections. Nothing of it is read.
 * @returns False when nothing is recorded under this id.
 */
export async function removeRun(env: Env, id: string): Promise<boolean> {
  return retry(RETRY_MS, async () => getRecorder(env, id).remove());
}

/**
 * Lists a run again whose row the Catalog has lost.
 * @returns False when there is nothing to list.
 */
export async function relistRun(env: Env, id: string): Promise<boolean> {
  return retry(RETRY_MS, async () => getRecorder(env, id).relist(id));
}

/** Tells the Recorder that OpenAI accepted a cancel, or that the run's Connection was closed. */
export async function reportCancel(env: Env, id: string): Promise<void> {
  await retry(RETRY_MS, async () => getRecorder(env, id).cancelled());
}

/** Follows the status of a run in flight, which the Recorder asks OpenAI for meanwhile. The same reading can come again. */
export async function* followStatus(env: Env, id: string): AsyncGenerator<StatusReading> {
  for (;;) {
    const reading = await getRecorder(env, id).awaitStatus();
    if (reading === null) return;
    yield reading;
  }
}

/**
 * Follows a run.
 * @param after The `seq` of the last update that the reader has; 0 for all.
 */
export async function* followRun(
  env: Env,
  id: string,
  after: number,
): AsyncGenerator<ProgressUpdate> {
  const stream = await getRecorder(env, id).follow(after);
  for await (const line of readLines(stream)) yield ProgressUpdate.parse(JSON.parse(line));
}
