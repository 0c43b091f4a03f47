// How deeply JSON is nested. Everything that looks into it calls itself at each level, and would run out of stack.

/**
 * Whether a value is nested more deeply than so many levels.
 * @param value JSON, parsed.
 * @param levels Levels of lists and objects.
 */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
