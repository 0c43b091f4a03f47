// A Recorder's effects: what it does to OpenAI, to KV and to the Catalog. Each reports its result as an event.
import {
  deleteKeys,
  hasStoredBody,
  readStoredBody,
  storeFile,
  storeOutputs,
  storeRecord,
  type BodySource,
} from "../../storage/kv.ts";
import { copyFile, findFiles, type FoundFiles } from "../../openai/container-files.ts";
import { withLog, type LogFields } from "../../log.ts";
import { observe } from "../../openai/observe.ts";
import type { Observed } from "../../openai/observed.ts";
import type { Effect, ResultEvent } from "../../record/events.ts";
import type { FileEntry, StoredRecord } from "../../record/schema.ts";
import { removeRun, upsertRun } from "../catalog/client.ts";
import { removeConnection } from "../connection/client.ts";
import { observeConnection, readControl } from "../connection/observe.ts";
import { toCatalogEntry } from "../catalog/row.ts";
import { listSources, toRunText } from "../catalog/texts.ts";
import { notify } from "./notify.ts";
import { readStoredText } from "./stored-run.ts";
import type { Bytes, Store } from "./store.ts";

/** An effect's result, and the bytes that it brought. */
export type EffectResult = { event: ResultEvent; bytes: Bytes };

/** What an effect needs of its object. */
export type EffectContext = {
  env: Env;
  store: Store;
  /** Is called when a body turns out to be large, and returns when there is room for it. */
  onLargeBody: () => Promise<void>;
  signal: AbortSignal;
};

type EffectOf<Type extends Effect["type"]> = Extract<Effect, { type: Type }>;

/** Milliseconds of a search that is no effect. */
const SEARCH_MS = 60_000;

export const NO_BYTES: Bytes = { body: null, outputs: null };

/**
 * Does an effect.
 * @throws When it failed; the Recorder tries again.
 */
export async function performEffect(effect: Effect, context: EffectContext): Promise<EffectResult> {
  const { turn } = effect;
  if (effect.type === "observe") {
    return effect.channel === "control"
      ? observeControl(effect, context)
      : observeRun(effect, context);
  }
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
  { env, store, signal }: EffectContext,
): Promise<OtherResult> {
  if (effect.type === "erase") {
    const { id, keys, connections } = effect;
    await withLog("delete_record", { id, keys: keys.length }, async () => {
      await Promise.all(connections.map((connection) => removeConnection(env, connection)));
      await deleteKeys(env, id, keys);
    });
    return { type: "erased" };
  }
  if (effect.type === "store_record") {
    await logged("store_record", effect.record, { body: effect.body }, () =>
      storeBody(env, store, effect, signal),
    );
    return { type: "stored" };
  }
  if (effect.type === "store_outputs") {
    const { record, channel, isAddition } = effect;
    await withLog("store_outputs", { id: record.id, channel }, async () => {
      const items = store.outputs(channel);
      if (items !== null) await storeOutputs(env, record, channel, items, isAddition, signal);
    });
    return { type: "stored" };
  }
  if (effect.type === "find_files") {
    return { type: "files_found", ...(await searchFiles(env, effect.record, signal)) };
  }
  if (effect.type === "copy_file") {
    return { type: "file_copied", file: await copy(env, effect, signal) };
  }
  if (effect.type === "list") {
    await logged("list_record", effect.record, {}, () => list(env, store, effect));
    return { type: "listed" };
  }
  if (effect.type === "notify") {
    return { type: "notified", status: await notify(env, effect.record, effect.event, signal) };
  }
  const { id, startedAt, version } = effect;
  await withLog("unlist_record", { id }, () =>
    removeRun(env, { id, startedAtMs: Date.parse(startedAt) }, version),
  );
  return { type: "unlisted" };
}

/** Searches the record's containers. */
export function searchFiles(
  env: Env,
  record: StoredRecord,
  signal: AbortSignal = AbortSignal.timeout(SEARCH_MS),
): Promise<FoundFiles> {
  return withLog(
    "find_files",
    { id: record.id },
    () => findFiles(env, record, signal),
    ({ files, empty }) => ({ files: files.length, empty: empty.length }),
  );
}

async function observeRun(
  { record, channel, connection, turn, checksBody }: EffectOf<"observe">,
  { env, onLargeBody, signal }: EffectContext,
): Promise<EffectResult> {
  const { id } = record;
  const isBodyLost = checksBody && !(await hasStoredBody(env, record));
  const { result, chunks, outputs } = await withLog(
    "observe",
    { id, channel },
    () =>
      connection === null
        ? observe(env, record, channel, { onLargeBody, signal })
        : observeConnection(env, connection, channel, record, onLargeBody),
    describeObserved,
  );
  const items = outputs === null ? null : new TextEncoder().encode(JSON.stringify(outputs()));
  return {
    event: { type: "observed", turn, result, hasOutputs: items !== null, isBodyLost },
    bytes: { body: chunks, outputs: items },
  };
}

async function observeControl(
  { record, connection, turn }: EffectOf<"observe">,
  { env, onLargeBody }: EffectContext,
): Promise<EffectResult> {
  const { id, control_opened: isOpened } = record;
  const { result, items } = await withLog(
    "observe_control",
    { id },
    () => readControl(env, connection ?? "", isOpened, onLargeBody),
    (read) => ({ outcome: read.result?.control.status ?? "running" }),
  );
  return {
    event: { type: "control_observed", turn, result, hasOutputs: items !== null },
    bytes: { body: null, outputs: items },
  };
}

async function storeBody(
  env: Env,
  store: Store,
  { record, body }: EffectOf<"store_record">,
  signal: AbortSignal,
): Promise<void> {
  await storeRecord(env, record, await toBodySource(env, store, record, body), signal);
}

async function toBodySource(
  env: Env,
  store: Store,
  record: StoredRecord,
  from: EffectOf<"store_record">["body"],
): Promise<BodySource | null> {
  if (record.body === null || from === "none") return null;
  const { bytes } = record.body;
  const { digest } = record.body;
  if (from === "rows") {
    if (!store.hasBody(digest)) throw new Error(`The body of ${record.id} is not stored any more`);
    return { chunks: store.bodyParts(digest), bytes };
  }
  const stored = await readStoredBody(env, record);
  // KV reads can be stale: throw, so that the store is retried until KV shows the body.
  if (stored === null) throw new Error(`KV does not show the body of ${record.id} yet`);
  return { chunks: stored, bytes };
}

function copy(
  env: Env,
  { file, record }: EffectOf<"copy_file">,
  signal: AbortSignal,
): Promise<FileEntry> {
  return withLog(
    "copy_file",
    { id: record.id, file: file.id },
    () => copyFile(env, record, file, (found, body) => storeFile(env, record, found, body), signal),
    ({ url, reason, bytes }) => ({
      outcome: url === null ? "not_copied" : "copied",
      reason,
      bytes,
    }),
  );
}

async function list(
  env: Env,
  store: Store,
  { record, version, dueMs, isFirst, untilMs }: EffectOf<"list">,
): Promise<void> {
  const text =
    rowsText(store, record) ?? (isFirst ? await readStoredText(env, record, untilMs) : null);
  // A run that has expired is never overdue, and each moment in the index costs a row.
  const dueAtMs = dueMs < Date.parse(record.expires_at) ? dueMs : null;
  await upsertRun(env, toCatalogEntry(record, dueAtMs, text), version);
}

// Null when the object has nothing to search any more: the Catalog keeps the text that it has.
function rowsText(store: Store, record: StoredRecord): string | null {
  const body = record.body === null ? null : store.body(record.body.digest);
  const outputs = listSources(record).map((channel) => store.outputs(channel));
  const hasRows = body !== null || outputs.some((items) => items !== null);
  return hasRows || record.body === null ? toRunText(record, body, outputs) : null;
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
