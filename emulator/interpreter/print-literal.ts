/** `print("…")` with one string that Python reads as JSON does: no lone surrogates, which JSON escapes. */
const PRINT_LITERAL = /^print\(("(?:[^"\\\n\r]|\\["\\bfnrt]|\\u(?!d[89a-f])[0-9a-f]{4})*")\)$/;

/**
 * Returns what code prints that only prints a literal; null for all other code.
 * Such a call leaves nothing behind in its container, so a container whose only calls are these needs no interpreter.
 */
export function evaluatePrint(code: string): string | null {
  const literal = PRINT_LITERAL.exec(code)?.[1];
  return literal === undefined ? null : `${String(JSON.parse(literal))}\n`;
}
