// Finds and replaces values in JSON bytes without parsing them: a string of megabytes would not fit into the isolate twice.
import { BACKSLASH, countBackslashes, isContinuationByte, LETTER_U, QUOTE } from "./json-string.ts";

const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const LEFT_BRACKET = 0x5b;
const LEFT_BRACE = 0x7b;
const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Bytes of a string that are decoded at once. */
const STRING_CHUNK_BYTES = 64 * 1024;

const decoder = new TextDecoder();
/** A chunk from the middle of a string may begin with the bytes of a byte order mark, which must stay. */
const chunkDecoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const encoder = new TextEncoder();
const COMMA_BYTES = Uint8Array.of(COMMA);

/** A member of an object, or with an empty name an element of an array. The value is a view into the JSON. */
export type Member = { name: string; value: Uint8Array };

/** A value to replace, as found by this module, and the JSON that replaces it, in chunks. */
export type Edit = { value: Uint8Array; replacement: Uint8Array[] };

/**
 * The members of an object, or the elements of an array, without those of nested values.
 * @param json Valid JSON.
 * @param max The scan ends after this many.
 */
export function scanMembers(json: Uint8Array, max = Infinity): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let valueStart = 0;
  let lastString = json.subarray(0, 0);
  let name = "";
  for (let at = 0; at < json.length && members.length < max; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      const end = endOfString(json, at);
      lastString = json.subarray(at, end);
      at = end - 1;
      continue;
    }
    if (CLOSING.has(byte)) depth -= 1;
    const ends = depth === 0 ? CLOSING.has(byte) : depth === 1 && byte === COMMA;
    if (ends) members.push({ name, value: json.subarray(valueStart, at) });
    if (depth === 1 && byte === COLON) name = String(parseValue(lastString));
    if (OPENING.has(byte)) depth += 1;
    if (depth === 1 && (ends || byte === COLON || OPENING.has(byte))) valueStart = at + 1;
  }
  return members.filter(({ value }) => !isBlank(value));
}

/**
 * The value of one member of an object; of two with the same name the last, as in JSON.parse.
 * @param json Valid JSON.
 */
export function findMember(json: Uint8Array, name: string): Uint8Array | undefined {
  return scanMembers(json).findLast((member) => member.name === name)?.value;
}

/**
 * An object's members by name. Of two with the same name the last one wins, as it does in JSON.parse.
 * @param json An object as JSON.
 */
export function memberMap(json: Uint8Array): Map<string, Uint8Array> {
  return new Map(scanMembers(json).map(({ name, value }) => [name, value]));
}

/**
 * The elements of an array, each as JSON; any other value has none.
 * @param max The number of elements after which the scan ends.
 */
export function arrayElements(json: Uint8Array | null | undefined, max = Infinity): Uint8Array[] {
  const array = asArray(json ?? undefined);
  return array === null ? [] : scanMembers(array, max).map(({ value }) => value);
}

/** The JSON itself when it is an array, else null. */
export function asArray(json: Uint8Array | undefined): Uint8Array | null {
  return json !== undefined && firstByte(json) === LEFT_BRACKET ? json : null;
}

/** The JSON itself when it is an object, else null. */
export function asObject(json: Uint8Array): Uint8Array | null {
  return firstByte(json) === LEFT_BRACE ? json : null;
}

/** Whether JSON is a string. */
export function isString(json: Uint8Array | undefined): json is Uint8Array {
  return json !== undefined && firstByte(json) === QUOTE;
}

/** Parses a value that is known to be small; undefined stays undefined. */
export function parseValue(json: Uint8Array | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(decoder.decode(json));
}

/**
 * Replaces values.
 * @param json The JSON in which the values were found.
 * @param edits In the order of the values.
 * @returns The new JSON in chunks.
 */
export function applyEdits(json: Uint8Array, edits: Edit[]): Uint8Array[] {
  let from = 0;
  const chunks = edits.flatMap(({ value, replacement }) => {
    const start = value.byteOffset - json.byteOffset;
    const unchanged = json.subarray(from, start);
    from = start + value.byteLength;
    return [unchanged, ...replacement];
  });
  return [...chunks, json.subarray(from)];
}

/** The new value of a member as JSON, a large one in chunks; null removes the member. */
export type MemberChange = string | Uint8Array[] | null;

/**
 * An object with some members changed. Of two members with the same name the last one stays.
 * @param json An object as JSON.
 * @param changes The new values, by name.
 * @returns The new JSON in chunks; values that did not change are views into the old one.
 */
export function changeMembers(
  json: Uint8Array,
  changes: ReadonlyMap<string, MemberChange>,
): Uint8Array[] {
  const old = scanMembers(json).map(({ name, value }): [string, MemberChange] => [name, [value]]);
  const chunks = [...new Map([...old, ...changes])].flatMap(([name, value]) => {
    if (value === null) return [];
    const key = encoder.encode(`${JSON.stringify(name)}:`);
    return [COMMA_BYTES, key, ...(typeof value === "string" ? [encoder.encode(value)] : value)];
  });
  return [encoder.encode("{"), ...chunks.slice(1), encoder.encode("}")];
}

/**
 * The text of a string, in chunks.
 * @param json A string as JSON.
 */
export function* stringChunks(json: Uint8Array): Generator<string> {
  const last = json.lastIndexOf(QUOTE);
  let highSurrogate = "";
  for (let at = json.indexOf(QUOTE) + 1; at < last;) {
    const chunk = json.subarray(at, Math.min(at + STRING_CHUNK_BYTES, last));
    const isLast = chunk.length < STRING_CHUNK_BYTES;
    const end = isLast ? chunk.length : cutPosition(chunk, json[at + STRING_CHUNK_BYTES] ?? QUOTE);
    const text =
      highSurrogate + String(JSON.parse(`"${chunkDecoder.decode(chunk.subarray(0, end))}"`));
    at += end;
    // The other half of a character beyond U+FFFF may be the next escape.
    highSurrogate = at < last && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    yield highSurrogate === "" ? text : text.slice(0, -1);
  }
}

// The last position of a chunk that is neither inside a character nor inside an escape.
function cutPosition(chunk: Uint8Array, nextByte: number): number {
  let end = chunk.length;
  if (isContinuationByte(nextByte)) {
    do end -= 1;
    while (isContinuationByte(chunk[end] ?? 0));
  }
  for (let at = chunk.indexOf(BACKSLASH); at !== -1 && at < end;) {
    const after = at + (chunk[at + 1] === LETTER_U ? 6 : 2);
    if (after > end) return at;
    at = chunk.indexOf(BACKSLASH, after);
  }
  return end;
}

function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; ;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) return json.length;
    if (countBackslashes(json, start, quote) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function firstByte(json: Uint8Array): number | undefined {
  return json.find((byte) => !WHITE_SPACE.has(byte));
}

function isBlank(json: Uint8Array): boolean {
  return json.length < 100 && decoder.decode(json).trim() === "";
}
