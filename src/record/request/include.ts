// The `include` values that OpenAI is asked for. Pure.
import { resultIncludes } from "../calls/item-kinds.ts";
import type { StoredRecord } from "../schema.ts";

/** The values of a refetch: the create's, and those that ask for the results of the run's tools, but for those that OpenAI refused. */
export function includeOf(
  record: Pick<StoredRecord, "tools" | "include" | "refused_include">,
): string[] {
  const refused = new Set(record.refused_include);
  const values = new Set([...resultIncludes(record.tools), ...record.include]);
  return [...values].filter((value) => !refused.has(value));
}

/**
 * The values that a refusal is about.
 * @param asked The values of the request that was refused.
 * @param message OpenAI's words, and the parameter that it names.
 * @returns None when the refusal is about something else; all when it names none of them.
 */
export function refusedIncludes(
  asked: readonly string[],
  { message, param }: { message: string; param: string | null },
): string[] {
  const isAboutInclude = /^include\b/.test(param ?? "") || /\binclude\b/i.test(message);
  const named = asked.filter((value) => message.includes(value));
  if (!isAboutInclude && named.length === 0) return [];
  const index = /^include\[(\d+)\]$/.exec(param ?? "")?.[1];
  const atIndex = index === undefined ? undefined : asked[Number(index)];
  if (atIndex !== undefined) return [atIndex];
  // A message that lists the supported values names those that are not meant.
  const beginning = message.split(/supported/i)[0] ?? message;
  const meant = asked.filter((value) => beginning.includes(value));
  return meant.length > 0 ? meant : [...asked];
}
