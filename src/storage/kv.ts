// KV: the only file that knows its keys and their lifetimes. Only Recorders write it.
// A record's value is one line of JSON, the StoredRecord, followed by the response's body as OpenAI sent it.
import { splitFirstLine } from "../lib/byte-stream.ts";
import { addItems } from "../lib/json-arrays.ts";
import { parseJson } from "../lib/json-parse.ts";
import { log } from "../log.ts";
import { MAX_VALUE_BYTES } from "../record/limits.ts";
import { StoredRecord, type Channel, type FileEntry, type RecordKey } from "../record/schema.ts";
import type { KvKey } from "../record/state.ts";

/** KV refuses an expiry that is nearer. https://developers.cloudflare.com/kv/api/write-key-value-pairs/#expiring-keys */
const MIN_LIFETIME_SECONDS = 60;

/** Begins the names of the values that are records. */
const RECORD_PREFIX = "record:";

/** The bytes of a response's body, and their number. */
export type BodySource = {
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  bytes: number;
};

/**
 * Stores a record with its body.
 * @param body Null when the record has none.
 * @param signal Ends the write: one that was given up must not overwrite a later one.
 */
export async function storeRecord(
  env: Env,
  record: StoredRecord,
  body: BodySource | null,
  signal: AbortSignal,
): Promise<void> {
  const head = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
  const bytes = head.byteLength + (body?.bytes ?? 0);
  const value = fixedLengthStream(bytes, [head], body?.chunks ?? [], signal);
  await put(env, record, { type: "record" }, value);
}

/**
 * Stores the calls that a channel had, with their outputs.
 * @param calls Output items as OpenAI sent them: an array as JSON.
 * @param isAddition The stored items of this channel stay, and these are added.
 */
export async function storeOutputs(
  env: Env,
  record: RecordKey,
  channel: Channel,
  calls: Uint8Array,
  isAddition: boolean,
  signal: AbortSignal,
): Promise<void> {
  const before = isAddition ? await readOutputs(env, record.id, channel) : null;
  const parts = addItems(calls, before);
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  await put(env, record, { type: "outputs", channel }, fixedLengthStream(bytes, parts, [], signal));
}

/**
 * Reads the calls that a channel had.
 * @returns An array as JSON, or null.
 */
export async function readOutputs(
  env: Env,
  id: string,
  channel: Channel,
): Promise<Uint8Array | null> {
  const name = toKeyName(id, { type: "outputs", channel });
  const value = await env.RECORDS.get(name, "arrayBuffer");
  logKv("get", name, value !== null);
  return value === null ? null : new Uint8Array(value);
}

/**
 * Stores a file. A file whose size is known streams through.
 * @returns Its size in bytes.
 * @throws RangeError when it is larger than a value in KV can be.
 */
export async function storeFile(
  env: Env,
  record: RecordKey,
  file: FileEntry,
  body: ReadableStream<Uint8Array> | null,
): Promise<number> {
  const whole = file.bytes === null || body === null ? await readAtMost(body) : null;
  const bytes = whole?.byteLength ?? file.bytes ?? 0;
  const value = whole ?? body?.pipeThrough(new FixedLengthStream(bytes)) ?? "";
  await put(env, record, { type: "file", file_id: file.id }, value);
  return bytes;
}

// KV would refuse a larger value.
async function readAtMost(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_VALUE_BYTES) throw new RangeError(`It has more than ${MAX_VALUE_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return new Blob(chunks).bytes();
}

/** Reads a copied file. */
export async function readFile(env: Env, id: string, file: string): Promise<ReadableStream | null> {
  const name = toKeyName(id, { type: "file", file_id: file });
  const body = await env.RECORDS.get(name, "stream");
  logKv("get", name, body !== null);
  return body;
}

/** Deletes values of a response. */
export async function deleteKeys(env: Env, id: string, keys: KvKey[]): Promise<void> {
  for (const key of keys) {
    const name = toKeyName(id, key);
    await env.RECORDS.delete(name);
    logKv("delete", name, true);
  }
}

/** A record as KV has it, and the response's body, which is empty when the record has none. */
export type StoredValue = { record: StoredRecord; body: ReadableStream<Uint8Array> };

/**
 * Reads a record and its body.
 * @returns Null when KV shows none, or one that another version wrote.
 */
export async function readStoredRecord(env: Env, id: string): Promise<StoredValue | null> {
  const name = toKeyName(id, { type: "record" });
  const value: ReadableStream<Uint8Array> | null = await env.RECORDS.get(name, "stream");
  logKv("get", name, value !== null);
  if (value === null) return null;
  const { line, rest: body } = await splitFirstLine(value);
  const record = StoredRecord.safeParse(parseJson(line)).data;
  if (record !== undefined) return { record, body };
  await body.cancel();
  return null;
}

/**
 * Reads the body of a record that was stored.
 * @returns Null while KV shows none, or an older one: it can do so for a minute and more. https://developers.cloudflare.com/kv/concepts/how-kv-works/
 */
export async function readStoredBody(
  env: Env,
  { id, body }: StoredRecord,
): Promise<ReadableStream<Uint8Array> | null> {
  const stored = await readStoredRecord(env, id);
  if (stored === null || stored.record.body?.digest === body?.digest) return stored?.body ?? null;
  await stored.body.cancel();
  return null;
}

/**
 * One page of the ids of the stored records.
 * @param cursor The cursor of the page before; null for the first.
 * @throws Error when KV refuses the cursor, or the list.
 */
export async function listRecordIds(
  env: Env,
  cursor: string | null,
  limit: number,
): Promise<{ ids: string[]; cursor: string | null }> {
  const page = await env.RECORDS.list({ prefix: RECORD_PREFIX, limit, cursor });
  const ids = page.keys.map(({ name }) => name.slice(RECORD_PREFIX.length));
  logKv("list", RECORD_PREFIX, true);
  return { ids, cursor: page.list_complete ? null : page.cursor };
}

/** Whether KV shows the body of a record that was stored. */
export async function hasStoredBody(env: Env, record: StoredRecord): Promise<boolean> {
  const body = await readStoredBody(env, record);
  await body?.cancel();
  return body !== null;
}

/**
 * Reads a key that is never written.
 * @throws When KV can't be reached.
 */
export async function tryKv(env: Env): Promise<void> {
  await env.RECORDS.get("health");
}

function toKeyName(id: string, key: KvKey): string {
  if (key.type === "record") return `${RECORD_PREFIX}${id}`;
  if (key.type === "file") return `file:${id}:${key.file_id}`;
  return `outputs:${id}:${key.channel}`;
}

async function put(
  env: Env,
  { id, expires_at }: RecordKey,
  key: KvKey,
  value: string | ArrayBufferView | ReadableStream,
): Promise<void> {
  const name = toKeyName(id, key);
  const nearest = Date.now() / 1000 + MIN_LIFETIME_SECONDS + 1;
  const expiration = Math.ceil(Math.max(Date.parse(expires_at) / 1000, nearest));
  try {
    await env.RECORDS.put(name, value, { expiration });
  } catch (error) {
    logKv("put", name, false);
    throw error;
  }
  logKv("put", name, true);
}

function fixedLengthStream(
  bytes: number,
  head: Uint8Array[],
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): ReadableStream {
  const { readable, writable } = new FixedLengthStream(bytes);
  void writeChunks(writable, head, chunks, signal);
  return readable;
}

// A failing put cancels its stream, and a failing source or the signal aborts it. The put reports each of them.
async function writeChunks(
  writable: WritableStream<Uint8Array>,
  head: Uint8Array[],
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const chunk of head) await writer.write(chunk);
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    signal.throwIfAborted();
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  }
}

function logKv(operation: string, name: string, ok: boolean): void {
  log("kv", { operation, key: name, ok });
}
