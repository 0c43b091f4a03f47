// KV: keys, lifetimes, paging; the only file that knows them.
// A record's value is one line of JSON, what is Known, and after it the response's body as OpenAI sent it.
import { RETENTION_DAYS, setting } from "../config.ts";
import { afterFirstLine } from "../lib/json-stream.ts";
import { openCursor, sealCursor, unknownCursor } from "./cursor.ts";
import { log } from "../log.ts";
import { Known, type Channel, type KeptFile, type Owner } from "../record/schema.ts";
import { rowOf, type Row } from "./list-row.ts";

const DAY = 24 * 60 * 60;
/** Seconds to wait before a refused write: KV takes one a second for a key. */
const WRITE_GAPS = [1.1, 2.2, 4.4, 10, 20, 40, 60];
/** Newest first: KV lists keys in ascending order. */
const END_OF_TIME = 9_999_999_999_999;

/** Bytes of an empty list. */
const EMPTY = 2;

/** KV's limit for a value, in bytes. */
export const LARGEST_VALUE = 25 * 1024 * 1024;

const key = {
  record: (id: string) => `record:${id}`,
  /** What another channel than the response's own body had: its calls with their outputs. */
  outputs: (id: string, channel: Channel) => `outputs:${id}:${channel}`,
  file: (id: string, file: string) => `file:${id}:${file}`,
  // OpenAI's created_at has whole seconds only.
  index: (id: string, startedAt: string) =>
    `index:${String(END_OF_TIME - Date.parse(startedAt)).padStart(13, "0")}:${id}`,
};

export type Page = { rows: Row[]; cursor: string | null };

/** A stored record and its body, unread. */
export type Stored = { known: Known; body: ReadableStream<Uint8Array> };

/**
 * Stores a record.
 * @param env The Worker's environment.
 * @param known The record.
 * @param chunks The response's body; null when this look brought none, then the stored one stays.
 */
export async function storeRecord(
  env: Env,
  known: Known,
  chunks: Uint8Array[] | null,
): Promise<void> {
  const head = new TextEncoder().encode(`${JSON.stringify(known)}\n`);
  const body = chunks ?? (known.body === null ? [] : await storedBody(env, known));
  const parts = [head, ...body];
  await write(env, known, key.record(known.id), () => stream(parts));
}

/**
 * Enters a record in the list, or changes its line there.
 * @param env The Worker's environment.
 * @param known The record.
 */
export async function listRecord(env: Env, known: Known): Promise<void> {
  await write(env, known, key.index(known.id, known.started_at), () => "", rowOf(known));
}

/**
 * Stores the calls that another channel had, with their outputs.
 * @param env The Worker's environment.
 * @param owner The response.
 * @param channel Where they were seen.
 * @param calls Output items as OpenAI sent them.
 */
export async function storeOutputs(
  env: Env,
  owner: Owner,
  channel: Channel,
  calls: unknown[],
): Promise<void> {
  const before = channel === "refetch" ? await readOutputs(env, owner.id, channel) : null;
  const parts = joined(new TextEncoder().encode(JSON.stringify(calls)), before);
  await write(env, owner, key.outputs(owner.id, channel), () => stream(parts));
}

// Two lists as one, without parsing either.
function joined(list: Uint8Array, before: Uint8Array | null): Uint8Array[] {
  if (before === null || before.length <= EMPTY) return [list];
  if (list.length <= EMPTY) return [before];
  return [list.subarray(0, -1), new TextEncoder().encode(","), before.subarray(1)];
}

/**
 * Reads what another channel had.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param channel Where it was seen.
 * @returns A list as JSON, or null.
 */
export async function readOutputs(
  env: Env,
  id: string,
  channel: Channel,
): Promise<Uint8Array | null> {
  const value = await env.RECORDS.get(key.outputs(id, channel), "arrayBuffer");
  tell("get", key.outputs(id, channel), value !== null);
  return value === null ? null : new Uint8Array(value);
}

/**
 * Stores a file.
 * @param env The Worker's environment.
 * @param owner The response.
 * @param file What it is called, and its size where it is known: then it streams through.
 * @param body Its bytes.
 * @returns Its size.
 */
export async function storeFile(
  env: Env,
  owner: Owner,
  file: KeptFile,
  body: ReadableStream<Uint8Array> | null,
): Promise<number> {
  const name = key.file(owner.id, file.id);
  const whole = file.bytes === null || body === null ? await bounded(body) : null;
  const bytes = whole?.byteLength ?? file.bytes ?? 0;
  const value = whole ?? body?.pipeThrough(new FixedLengthStream(bytes)) ?? "";
  await env.RECORDS.put(name, value, { expirationTtl: lifetime(env, owner) });
  tell("put", name, true);
  return bytes;
}

// A file whose size nobody told; KV would refuse a larger one.
async function bounded(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_VALUE) throw new RangeError(`It has more than ${LARGEST_VALUE} bytes.`);
    chunks.push(chunk);
  }
  return new Blob(chunks).bytes();
}

/**
 * Reads a file.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param file The file's id.
 */
export async function readFile(env: Env, id: string, file: string): Promise<ReadableStream | null> {
  const body = await env.RECORDS.get(key.file(id, file), "stream");
  tell("get", key.file(id, file), body !== null);
  return body;
}

/** Where a stored file is read, as a path of this Worker. */
export function fileUrl(id: string, file: string): string {
  return `/results/${id}/files/${encodeURIComponent(file)}`;
}

/**
 * Removes all that is stored of a response.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param startedAt When its recording began, by which the list knows it.
 */
export async function forgetRecord(env: Env, id: string, startedAt: string): Promise<void> {
  const found = await Promise.all([
    keysBelow(env, `outputs:${id}:`),
    keysBelow(env, `file:${id}:`),
  ]);
  for (const name of [key.index(id, startedAt), ...found.flat(), key.record(id)]) {
    await env.RECORDS.delete(name);
    tell("delete", name, true);
  }
}

async function keysBelow(env: Env, prefix: string): Promise<string[]> {
  const { keys } = await env.RECORDS.list({ prefix });
  tell("list", prefix, true);
  return keys.map((found) => found.name);
}

/**
 * Reads a record.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @returns The record, or null when none is stored.
 */
export async function readRecord(env: Env, id: string): Promise<Stored | null> {
  const value: ReadableStream<Uint8Array> | null = await env.RECORDS.get(key.record(id), "stream");
  tell("get", key.record(id), value !== null);
  if (value === null) return null;
  const { line, rest } = await afterFirstLine(value);
  return { known: Known.parse(JSON.parse(line)), body: rest };
}

/**
 * Whether a record is stored. It asks for the list of keys: a miss that is read by get() is remembered for a minute and would hide the
 * record that is about to be written. https://developers.cloudflare.com/kv/concepts/how-kv-works/
 * @param env The Worker's environment.
 * @param id The response's id.
 */
export async function isStored(env: Env, id: string): Promise<boolean> {
  const { keys } = await env.RECORDS.list({ prefix: key.record(id), limit: 2 });
  tell("list", key.record(id), keys.length > 0);
  return keys.some((found) => found.name === key.record(id));
}

/**
 * A page of the list, newest first.
 * @param env The Worker's environment.
 * @param limit Lines at the most.
 * @param cursor Where the last page ended.
 * @throws Problem 400 for a cursor that nobody gave.
 */
export async function listPage(env: Env, limit: number, cursor: string | null): Promise<Page> {
  const page = await pageOfKeys(env, limit, cursor);
  tell("list", "index:", true);
  const rows = page.keys.flatMap((found) => (found.metadata === undefined ? [] : [found.metadata]));
  return { rows, cursor: page.list_complete ? null : await sealCursor(env, page.cursor) };
}

async function pageOfKeys(env: Env, limit: number, sealed: string | null) {
  const cursor = sealed === null ? null : await openCursor(env, sealed);
  try {
    return await env.RECORDS.list<Row>({ prefix: "index:", limit, cursor });
  } catch (error) {
    if (cursor === null) throw error;
    throw unknownCursor();
  }
}

function lifetime(env: Env, { retention_days }: Owner): number {
  return (retention_days ?? setting(env, RETENTION_DAYS)) * DAY;
}

async function write(
  env: Env,
  owner: Owner,
  name: string,
  value: () => string | ReadableStream,
  metadata?: Row,
): Promise<void> {
  const expirationTtl = lifetime(env, owner);
  for (const gap of [...WRITE_GAPS, null]) {
    try {
      await env.RECORDS.put(
        name,
        value(),
        metadata === undefined ? { expirationTtl } : { expirationTtl, metadata },
      );
      return tell("put", name, true);
    } catch (error) {
      tell("put", name, false);
      if (gap === null) throw error;
      await scheduler.wait(gap * 1000);
    }
  }
}

// KV may still show an older value at this place; the step is tried again until it shows the one that this record means.
async function storedBody(env: Env, known: Known): Promise<Uint8Array[]> {
  const stored = await readRecord(env, known.id);
  if (stored?.known.body?.digest !== known.body?.digest) {
    throw new Error(`the stored body of ${known.id} is not readable yet`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of stored?.body ?? []) chunks.push(chunk);
  return chunks;
}

function stream(parts: Uint8Array[]): ReadableStream {
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const { readable, writable } = new FixedLengthStream(bytes);
  void send(writable, parts);
  return readable;
}

// A failing put cancels its stream; the put's own error says so, this one says nothing new.
async function send(writable: WritableStream<Uint8Array>, parts: Uint8Array[]): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const part of parts) await writer.write(part);
    await writer.close();
  } catch {
    return;
  }
}

function tell(operation: string, name: string, ok: boolean): void {
  log("kv", { operation, key: name, ok });
}
