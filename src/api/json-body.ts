// JSON from outside, before anything looks into it.
import { isDeeper } from "../lib/json-depth.ts";
import { Problem } from "../errors.ts";

/** Levels; a tool's schema has perhaps a dozen. */
const DEEPEST = 200;

/**
 * A body as JSON.
 * @param bytes As they came; none at all are an empty object.
 * @throws Problem 400 for what isn't JSON in UTF-8, or can't be looked into.
 */
export function readJson(bytes: ArrayBuffer | Uint8Array): unknown {
  return lookable(parse(bytes));
}

/**
 * Lets a value pass that can be looked into: everything that does so calls itself, and copies what it finds.
 * @param value What came in, parsed.
 * @throws Problem 400 when it is nested too deeply, or has a key that is lost when it is copied.
 */
export function lookable<T>(value: T): T {
  if (isDeeper(value, DEEPEST))
    throw refused(`The JSON is nested more than ${DEEPEST} levels deep.`);
  // What is left out silently is what was not refused.
  if (hasPrototype(value)) throw refused("No key may be called __proto__.");
  return value;
}

function parse(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    // What isn't UTF-8 isn't JSON either; without `fatal` it would be changed on its way.
    const body = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return body.trim() === "" ? {} : JSON.parse(body);
  } catch {
    throw refused(
      "The body is not JSON in UTF-8. Send a JSON object, with Content-Type: application/json.",
    );
  }
}

function hasPrototype(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototype);
}

function refused(message: string): Problem {
  return new Problem(400, "bad_request", message);
}
