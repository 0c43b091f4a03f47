// KV: the only file that knows its keys and their lifetimes.
// A record's value is one line of JSON, the StoredRecord, followed by the response's body as OpenAI sent it.
import { RETENTION_DAYS, setting } from "../config.ts";
import { readChunks, splitFirstLine } from "../lib/byte-stream.ts";
import { retry } from "../lib/retry.ts";
import { log } from "../log.ts";
import { MAX_VALUE_BYTES } from "../record/limits.ts";
import { StoredRecord, type Channel, type FileEntry, type RecordKey } from "../record/schema.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** Milliseconds between attempts to write: KV accepts one write a second for a key. */
const WRITE_RETRY_MS = [1_100, 2_200, 4_400, 10_000, 20_000, 40_000, 60_000];
const EMPTY_ARRAY_BYTES = 2;

const key = {
  record: (id: string) => `record:${id}`,
  /** The calls, with their outputs, that a channel had and the stored body lacks. */
  outputs: (id: string, channel: Channel) => `outputs:${id}:${channel}`,
  file: (id: string, file: string) => `file:${id}:${file}`,
};

/** A stored record and its unread body. */
export type StoredEntry = { record: StoredRecord; body: ReadableStream<Uint8Array> };

/**
 * Stores a record.
 * @param chunks The response's body; null when the observation brought none: then the stored body stays.
 */
export async function storeRecord(
  env: Env,
  record: StoredRecord,
  chunks: Uint8Array[] | null,
): Promise<void> {
  const head = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
  const body = chunks ?? (record.body === null ? [] : await readStoredBody(env, record));
  await putWithRetry(env, record, key.record(record.id), () => fixedLengthStream([head, ...body]));
}

/**
 * Stores the calls that a channel had, with their outputs.
 * @param calls Output items as OpenAI sent them.
 */
export async function storeOutputs(
  env: Env,
  { id, retention_days }: RecordKey,
  channel: Channel,
  calls: unknown[],
): Promise<void> {
  const before = channel === "refetch" ? await readOutputs(env, id, channel) : null;
  const parts = concatArrays(new TextEncoder().encode(JSON.stringify(calls)), before);
  await putWithRetry(env, { id, retention_days }, key.outputs(id, channel), () =>
    fixedLengthStream(parts),
  );
}

// Two JSON arrays as one, without parsing either.
function concatArrays(array: Uint8Array, before: Uint8Array | null): Uint8Array[] {
  if (before === null || before.length <= EMPTY_ARRAY_BYTES) return [array];
  if (array.length <= EMPTY_ARRAY_BYTES) return [before];
  return [array.subarray(0, -1), new TextEncoder().encode(","), before.subarray(1)];
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
  const value = await env.RECORDS.get(key.outputs(id, channel), "arrayBuffer");
  logKv("get", key.outputs(id, channel), value !== null);
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
  const name = key.file(record.id, file.id);
  const whole = file.bytes === null || body === null ? await readAtMost(body) : null;
  const bytes = whole?.byteLength ?? file.bytes ?? 0;
  const value = whole ?? body?.pipeThrough(new FixedLengthStream(bytes)) ?? "";
  await env.RECORDS.put(name, value, { expirationTtl: ttlSeconds(env, record) });
  logKv("put", name, true);
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
  const body = await env.RECORDS.get(key.file(id, file), "stream");
  logKv("get", key.file(id, file), body !== null);
  return body;
}

/** Deletes everything that is stored of a response. */
export async function deleteRecord(env: Env, id: string): Promise<void> {
  const found = await Promise.all([listKeys(env, `outputs:${id}:`), listKeys(env, `file:${id}:`)]);
  for (const name of [...found.flat(), key.record(id)]) {
    await env.RECORDS.delete(name);
    logKv("delete", name, true);
  }
}

async function listKeys(env: Env, prefix: string): Promise<string[]> {
  const { keys } = await env.RECORDS.list({ prefix });
  logKv("list", prefix, true);
  return keys.map(({ name }) => name);
}

/**
 * Reads a record.
 * @returns Null when none is stored.
 */
export async function readRecord(env: Env, id: string): Promise<StoredEntry | null> {
  const value: ReadableStream<Uint8Array> | null = await env.RECORDS.get(key.record(id), "stream");
  logKv("get", key.record(id), value !== null);
  if (value === null) return null;
  const { line, rest } = await splitFirstLine(value);
  return { record: StoredRecord.parse(JSON.parse(line)), body: rest };
}

/**
 * Whether a record is stored. Lists keys in place of a get(): KV remembers a miss for a minute, which would hide the record that is about to be written.
 * https://developers.cloudflare.com/kv/concepts/how-kv-works/
 */
export async function isStored(env: Env, id: string): Promise<boolean> {
  const { keys } = await env.RECORDS.list({ prefix: key.record(id), limit: 2 });
  logKv("list", key.record(id), keys.length > 0);
  return keys.some(({ name }) => name === key.record(id));
}

/** Seconds that what is stored of a record is kept. */
export function ttlSeconds(env: Env, { retention_days }: RecordKey): number {
  return (retention_days ?? setting(env, RETENTION_DAYS)) * DAY_SECONDS;
}

async function putWithRetry(
  env: Env,
  record: RecordKey,
  name: string,
  value: () => string | ReadableStream,
): Promise<void> {
  const expirationTtl = ttlSeconds(env, record);
  await retry(
    WRITE_RETRY_MS,
    () => env.RECORDS.put(name, value(), { expirationTtl }),
    () => logKv("put", name, false),
  );
  logKv("put", name, true);
}

// KV reads can be stale: throws, so that the step retries until the stored body has this record's digest.
async function readStoredBody(env: Env, record: StoredRecord): Promise<Uint8Array[]> {
  const stored = await readRecord(env, record.id);
  if (stored?.record.body?.digest !== record.body?.digest) {
    throw new Error(`the stored body of ${record.id} is not readable yet`);
  }
  return stored === null ? [] : readChunks(stored.body);
}

function fixedLengthStream(chunks: Uint8Array[]): ReadableStream {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const { readable, writable } = new FixedLengthStream(bytes);
  void writeChunks(writable, chunks);
  return readable;
}

// A failing put cancels its stream. The put reports the error, so the one of this write is dropped.
async function writeChunks(
  writable: WritableStream<Uint8Array>,
  chunks: Uint8Array[],
): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  } catch {
    return;
  }
}

function logKv(operation: string, name: string, ok: boolean): void {
  log("kv", { operation, key: name, ok });
}
