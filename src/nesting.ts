// JSON that is nested so deeply that looking at it would end the run: everything that looks into it calls itself.
import { Problem } from "./errors.ts";

/** Levels; a tool's schema has perhaps a dozen. */
const DEEPEST = 200;

/**
 * Lets a value pass that can be looked into.
 * @param value What came in, parsed.
 * @throws Problem 400 when it is nested too deeply.
 */
export function notTooDeep<T>(value: T): T {
  if (fits(value, DEEPEST)) return value;
  const message = `The JSON is nested more than ${DEEPEST} levels deep.`;
  throw new Problem(400, "bad_request", message);
}

function fits(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => fits(inner, levels - 1));
}
