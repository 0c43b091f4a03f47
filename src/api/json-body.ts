// JSON from callers, before anything reads it. A body can have many megabytes, so long texts in it are never parsed.
import { Problem } from "../errors.ts";
import { exceedsDepth } from "../lib/json-parse.ts";
import { BoundedReader } from "../lib/json-stream.ts";

/** Levels of arrays and objects; a tool's schema has perhaps a dozen. */
const MAX_DEPTH = 200;
/** Bytes that are decoded at once to check their encoding. */
const DECODED_BYTES = 64 * 1024;

/** A body: its JSON as it came, and the parsed value with every long text truncated. */
export type JsonBody = { json: Uint8Array; value: unknown };

/**
 * Parses a body as JSON.
 * @param bytes The body; an empty one counts as an empty object.
 * @throws Problem 400 when it is not JSON in UTF-8, or not safe.
 */
export function parseJsonBody(bytes: ArrayBuffer | Uint8Array): JsonBody {
  const json = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  if (isBlank(json)) return toJsonBody({});
  return { json, value: assertSafeJson(parseTruncated(json)) };
}

/** A body that stands for a value. */
export function toJsonBody(value: unknown): JsonBody {
  return { json: new TextEncoder().encode(JSON.stringify(value)), value };
}

/**
 * Rejects JSON that is nested too deeply for recursive code, or that has a `__proto__` key.
 * @returns The value.
 * @throws Problem 400.
 */
export function assertSafeJson<T>(value: T): T {
  if (exceedsDepth(value, MAX_DEPTH)) {
    throw badRequest(`The JSON is nested more than ${MAX_DEPTH} levels deep.`);
  }
  // A copy of the object would lose this key in silence.
  if (hasProtoKey(value)) throw badRequest("No key may be called __proto__.");
  return value;
}

function parseTruncated(json: Uint8Array): unknown {
  try {
    assertUtf8(json);
    const reader = new BoundedReader();
    reader.write(json);
    return JSON.parse(reader.end().truncated);
  } catch {
    throw badRequest(
      "The body is not JSON in UTF-8. Send a JSON object, with Content-Type: application/json.",
    );
  }
}

// JSON is UTF-8. Without `fatal`, invalid bytes would be replaced in silence.
function assertUtf8(json: Uint8Array): void {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  for (let at = 0; at < json.length; at += DECODED_BYTES) {
    decoder.decode(json.subarray(at, at + DECODED_BYTES), { stream: true });
  }
  decoder.decode();
}

function isBlank(json: Uint8Array): boolean {
  return json.length < DECODED_BYTES && new TextDecoder().decode(json).trim() === "";
}

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey);
}

function badRequest(message: string): Problem {
  return new Problem("bad_request", message);
}
