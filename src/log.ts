// The log: one line of JSON for each event, so that Workers Logs can be searched by a response's id.

import { Problem } from "./errors.ts";

/** Fields of a line. Never a body, a header or a query: those can carry secrets. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Logs an event. */
export function log(event: string, fields: LogFields): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** Logs a failure. The outcome of a Problem is its code. */
export function logFailure(event: string, error: unknown, fields: LogFields): void {
  const problem = error instanceof Problem ? error : null;
  const { code: outcome = "failed", id = fields["id"] } = problem ?? {};
  console.error(JSON.stringify({ event, ...fields, id, outcome, error: String(error) }));
}

/**
 * Runs a function, and logs its outcome and its duration in milliseconds.
 * @param describeResult Fields for a result; `outcome` is `done` unless it returns another.
 */
export async function withLog<T>(
  event: string,
  fields: LogFields,
  work: () => Promise<T>,
  describeResult: (result: T) => LogFields = () => ({}),
): Promise<T> {
  const startedAt = Date.now();
  try {
    const result = await work();
    log(event, {
      ...fields,
      outcome: "done",
      ...describeResult(result),
      ms: Date.now() - startedAt,
    });
    return result;
  } catch (error) {
    logFailure(event, error, { ...fields, ms: Date.now() - startedAt });
    throw error;
  }
}
