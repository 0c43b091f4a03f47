// A Recorder's effects: what it does to OpenAI, to KV and to the Catalog. Each reports its result as an event.
import {
  concatArrays,
  deleteKeys,
  readStoredBody,
  storeFile,
  storeOutputs,
  storeRecord,
  type BodySource,
} from "../../storage/kv.ts";
import { copyFile, findFiles } from "../../openai/container-files.ts";
import { findMember } from "../../lib/json-scan.ts";
import { withLog, type LogFields } from "../../log.ts";
import { observe } from "../../openai/observe.ts";
import type { Observed } from "../../openai/observed.ts";
import type { Effect, ResultEvent } from "../../record/events.ts";
import type { Channel, FileEntry, StoredRecord } from "../../record/schema.ts";
import { removeRun, upsertRun } from "../catalog/client.ts";
import { toCatalogRow } from "../catalog/row.ts";
import { toSearchText } from "../catalog/texts.ts";
import type { Rows } from "./rows.ts";

/** The name of a body in the object's own rows. */
export function toBodyName(digest: string): string {
  return `body:${digest}`;
}

/** The name of a channel's outputs in the object's own rows. */
export function toOutputsName(channel: Channel): string {
  return `outputs:${channel}`;
}

/** Bytes that an event brings. They are stored in the same synchronous block as the state, if the state has use for them. */
export type Bytes = { body: Uint8Array[] | null; outputs: Uint8Array | null };

/** An effect's result, and the bytes that it brought. */
export type EffectResult = { event: ResultEvent; bytes: Bytes };

/** What an effect needs of its object. */
export type EffectContext = {
  env: Env;
  rows: Rows;
  /** Is called when a body turns out to be large, and returns when there is room for it. */
  onLargeBody: () => Promise<void>;
  signal: AbortSignal;
  /** Reads what a held connection brought. */
  observeHeld: (record: StoredRecord) => Promise<Observed>;
};

type EffectOf<Type extends Effect["type"]> = Extract<Effect, { type: Type }>;

export const NO_BYTES: Bytes = { body: null, outputs: null };

/**
 * Does an effect.
 * @throws When it failed; the Recorder tries again.
 */
export async function performEffect(effect: Effect, context: EffectContext): Promise<EffectResult> {
  const { turn } = effect;
  if (effect.type === "observe") return observeRun(effect, context);
  return { event: { ...(await performOther(effect, context)), turn }, bytes: NO_BYTES };
}

type OtherEffect = Exclude<Effect, { type: "observe" }>;
type OtherResult = ResultEvent extends infer One
  ? One extends ResultEvent
    ? Omit<One, "turn">
    : never
  : never;

async function performOther(
  effect: OtherEffect,
  { env, rows }: EffectContext,
): Promise<OtherResult> {
  if (effect.type === "erase") {
    const { id, keys } = effect;
    await withLog("delete_record", { id, keys: keys.length }, () => deleteKeys(env, id, keys));
    return { type: "erased" };
  }
  if (effect.type === "store_record") {
    await logged("store_record", effect.record, { body: effect.body }, () =>
      storeBody(env, rows, effect),
    );
    return { type: "stored" };
  }
  if (effect.type === "store_outputs") {
    const { record, channel, isAddition } = effect;
    await withLog("store_outputs", { id: record.id, channel }, async () => {
      const items = rows.get(toOutputsName(channel));
      if (items !== null) await storeOutputs(env, record, channel, items, isAddition);
    });
    return { type: "stored" };
  }
  if (effect.type === "find_files") {
    const { record } = effect;
    const files = await withLog(
      "find_files",
      { id: record.id },
      () => findFiles(env, record),
      (found) => ({ files: found.length }),
    );
    return { type: "files_found", files };
  }
  if (effect.type === "copy_file") return { type: "file_copied", file: await copy(env, effect) };
  if (effect.type === "list") {
    await logged("list_record", effect.record, {}, () => list(env, rows, effect));
    return { type: "listed" };
  }
  const { id, startedAt, version } = effect;
  await withLog("unlist_record", { id }, () =>
    removeRun(env, { id, startedAtMs: Date.parse(startedAt) }, version),
  );
  return { type: "unlisted" };
}

async function observeRun(
  { record, channel, turn }: EffectOf<"observe">,
  { env, observeHeld, onLargeBody, signal }: EffectContext,
): Promise<EffectResult> {
  const { id } = record;
  const { result, chunks, outputs } = await withLog(
    "observe",
    { id, channel },
    () =>
      channel === "held"
        ? observeHeld(record)
        : observe(env, record, channel, { onLargeBody, signal }),
    describeObserved,
  );
  const items = outputs === null ? null : new TextEncoder().encode(JSON.stringify(outputs()));
  return {
    event: { type: "observed", turn, result, hasOutputs: items !== null },
    bytes: { body: chunks, outputs: items },
  };
}

async function storeBody(
  env: Env,
  rows: Rows,
  { record, body }: EffectOf<"store_record">,
): Promise<void> {
  await storeRecord(env, record, await toBodySource(env, rows, record, body));
}

async function toBodySource(
  env: Env,
  rows: Rows,
  record: StoredRecord,
  from: EffectOf<"store_record">["body"],
): Promise<BodySource | null> {
  if (record.body === null || from === "none") return null;
  const { bytes } = record.body;
  if (from === "rows") return { chunks: rows.parts(toBodyName(record.body.digest)), bytes };
  const stored = await readStoredBody(env, record);
  // KV reads can be stale: throw, so that the store is retried until KV shows the body.
  if (stored === null) throw new Error(`KV does not show the body of ${record.id} yet`);
  return { chunks: stored, bytes };
}

function copy(env: Env, { file, record }: EffectOf<"copy_file">): Promise<FileEntry> {
  return withLog(
    "copy_file",
    { id: record.id, file: file.id },
    () => copyFile(env, record, file, (found, body) => storeFile(env, record, found, body)),
    ({ url, reason, bytes }) => ({
      outcome: url === null ? "not_copied" : "copied",
      reason,
      bytes,
    }),
  );
}

async function list(
  env: Env,
  rows: Rows,
  { record, version, dueMs }: EffectOf<"list">,
): Promise<void> {
  const entry = {
    row: toCatalogRow(record),
    startedAtMs: Date.parse(record.started_at),
    expiresAtMs: Date.parse(record.expires_at),
    dueAtMs: dueMs,
    text: toText(rows, record),
  };
  await upsertRun(env, entry, version);
}

// Null when the rows have nothing to search any more: the Catalog keeps the text that it has.
function toText(rows: Rows, record: StoredRecord): string | null {
  const body = record.body === null ? null : rows.get(toBodyName(record.body.digest));
  const others = [...new Set(record.calls.map((call) => call.source))].flatMap((channel) =>
    channel === null ? [] : [rows.get(toOutputsName(channel))],
  );
  const lists = [body === null ? null : findMember(body, "output"), ...others].filter(
    (items) => items !== null && items !== undefined,
  );
  if (lists.length === 0 && record.body !== null) return null;
  return toSearchText(record.request, lists);
}

function logged<T>(
  event: string,
  { id, status, verdict }: StoredRecord,
  fields: LogFields,
  work: () => Promise<T>,
): Promise<T> {
  return withLog(event, { id, status, verdict, ...fields }, work);
}

function describeObserved({ result }: Observed): LogFields {
  const { observation, error } = result;
  return {
    outcome: error?.code ?? "seen",
    http_status: observation.http_status,
    status: observation.status,
    request_id: observation.request_id,
    calls: observation.calls.length,
    populated: observation.calls.filter((call) => call.outputs === "populated").length,
  };
}

/** Outputs of a channel, joined with those that the rows have of it already. */
export function joinOutputs(added: Uint8Array, before: Uint8Array | null): Uint8Array[] {
  return concatArrays(added, before);
}
