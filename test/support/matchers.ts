// Vitest types its asymmetric matchers as any; these are unknown.
import { expect } from "vitest";

/** Matches a string that contains a text. */
export function containing(text: string): unknown {
  const matcher: unknown = expect.stringContaining(text);
  return matcher;
}

/** Matches a string that matches a pattern. */
export function matching(pattern: RegExp): unknown {
  const matcher: unknown = expect.stringMatching(pattern);
  return matcher;
}
