// JSON from callers, before anything reads it.
import { Problem } from "../errors.ts";
import { exceedsDepth } from "../lib/json-parse.ts";

/** Levels of arrays and objects; a tool's schema has perhaps a dozen. */
const MAX_DEPTH = 200;

/**
 * Parses a body as JSON.
 * @param bytes The body; an empty one counts as an empty object.
 * @throws Problem 400 when it is not JSON in UTF-8, or not safe.
 */
export function parseJsonBody(bytes: ArrayBuffer | Uint8Array): unknown {
  return assertSafeJson(decodeJson(bytes));
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

function decodeJson(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    // JSON is UTF-8. Without `fatal`, invalid bytes would be replaced in silence.
    const body = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return body.trim() === "" ? {} : JSON.parse(body);
  } catch {
    throw badRequest(
      "The body is not JSON in UTF-8. Send a JSON object, with Content-Type: application/json.",
    );
  }
}

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey);
}

function badRequest(message: string): Problem {
  return new Problem("bad_request", message);
}
