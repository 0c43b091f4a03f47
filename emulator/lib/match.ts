/** Tests that the rules of faults and scripts share. */

/** Whether a text is a regular expression. */
export function isPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Whether a record has all these pairs. */
export function hasPairs(
  pairs: Readonly<Record<string, string>> | undefined,
  record: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(pairs ?? {}).every(([key, value]) => record[key] === value);
}
