// JSON from outside: parsing it without exceptions, and how deeply it is nested.

/**
 * Parses JSON.
 * @returns Undefined when the text is not JSON.
 */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * Whether a JSON value is nested more deeply than a number of levels. Code that walks a value recursively would exhaust the stack on such a value.
 * @param value A parsed JSON value.
 * @param levels Levels of arrays and objects.
 */
export function exceedsDepth(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => exceedsDepth(inner, levels - 1));
}
