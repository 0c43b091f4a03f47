// What KV has of a run, for a row that the Catalog has lost.
import { LARGE_BODY_BYTES } from "../../lib/json-stream.ts";
import type { StoredRecord } from "../../record/schema.ts";
import { readOutputs, readStoredRecord } from "../../storage/kv.ts";
import { upsertRun } from "../catalog/client.ts";
import { toCatalogEntry } from "../catalog/row.ts";
import { listSources, toRunText } from "../catalog/texts.ts";
import { reserveLargeBody } from "./large-bodies.ts";

/** Milliseconds that a large body may be under way. */
const LARGE_BODY_MS = 30_000;

/**
 * Lists a run that only KV has, until its value expires.
 * @returns False when KV shows none, or one that another version wrote.
 */
export async function listStoredRun(env: Env, id: string): Promise<boolean> {
  const stored = await readStoredRecord(env, id);
  await stored?.body.cancel();
  if (stored === null) return false;
  const { record } = stored;
  const text = await readStoredText(env, record, Date.now() + LARGE_BODY_MS);
  // A row of the run's own Recorder has a later version, and stays.
  const version = Date.parse(record.updated_at ?? record.started_at);
  await upsertRun(env, toCatalogEntry(record, null, text), version);
  return true;
}

/**
 * The searchable text of a run, made from what KV has. What KV does not show is not in it.
 * @param untilMs Until when a large body may be under way, in milliseconds since 1970.
 */
export async function readStoredText(
  env: Env,
  record: StoredRecord,
  untilMs: number,
): Promise<string> {
  const isLarge = (record.body?.bytes ?? 0) > LARGE_BODY_BYTES;
  const free = isLarge ? await reserveLargeBody(untilMs) : null;
  try {
    const outputs = await Promise.all(
      listSources(record).map((channel) => readOutputs(env, record.id, channel)),
    );
    const stored = await readStoredRecord(env, record.id);
    const body = stored === null ? null : await new Response(stored.body).bytes();
    return toRunText(record, body === null || body.byteLength === 0 ? null : body, outputs);
  } finally {
    free?.();
  }
}
