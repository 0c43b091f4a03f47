// The log: one line of JSON for each event, so that Workers Logs can be searched for one response's story by its id.

import { Problem } from "./errors.ts";

/** What a line can say beside its event. Never a body, a header or a query: those can carry secrets. */
export type Fields = Record<string, string | number | boolean | null | undefined>;

/**
 * Logs what happened.
 * @param event What it was.
 * @param fields The response's id, the outcome, and so on.
 */
export function log(event: string, fields: Fields): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/**
 * Logs what failed. A problem that the caller is told about has its code for an outcome.
 * @param event What it was.
 * @param error What was thrown.
 * @param fields The response's id, and so on.
 */
export function logFailure(event: string, error: unknown, fields: Fields): void {
  const problem = error instanceof Problem ? error : null;
  const { code: outcome = "failed", id = fields["id"] } = problem ?? {};
  console.error(JSON.stringify({ event, ...fields, id, outcome, error: String(error) }));
}

/**
 * Does something, and logs what came of it and how long it took.
 * @param event What it is.
 * @param fields What is known of it beforehand.
 * @param work Does it.
 * @param outcome What its result means; `outcome` is `done` unless it says something else.
 */
export async function logged<T>(
  event: string,
  fields: Fields,
  work: () => Promise<T>,
  outcome: (result: T) => Fields = () => ({}),
): Promise<T> {
  const from = Date.now();
  try {
    const result = await work();
    log(event, { ...fields, outcome: "done", ...outcome(result), ms: Date.now() - from });
    return result;
  } catch (error) {
    logFailure(event, error, { ...fields, ms: Date.now() - from });
    throw error;
  }
}
