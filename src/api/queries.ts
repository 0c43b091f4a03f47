// The queries that routes accept.
import * as z from "zod";
import { Problem } from "../errors.ts";
import { RunVerdict } from "../record/schema.ts";

/** Records on a page of the export. */
export const MAX_EXPORT_ROWS = 50;

const cursor = z.string().min(1).max(2_000, "must be the cursor of the page before").optional();

/** The list's query: a page and its filter. */
export const ListQuery = z.object({
  limit: wholeNumber(100).default(25),
  cursor,
  verdict: RunVerdict.optional(),
  status: z.string().min(1).max(40).optional(),
});
export type ListQuery = z.infer<typeof ListQuery>;

/** The export's query. */
export const ExportQuery = z.object({
  cursor,
  limit: wholeNumber(MAX_EXPORT_ROWS).optional(),
});

const WAIT_RULE = "must be a number of seconds from 0 to 60";

/** The query of one record. */
export const WaitQuery = z.object({
  wait: z.coerce
    .number(WAIT_RULE)
    .min(0, WAIT_RULE)
    .max(60, WAIT_RULE)
    .describe("Seconds to wait until it is settled")
    .optional(),
});

/**
 * Parses a query. An empty value counts as absent: a form sends one for each field that was left empty.
 * @throws Problem 400 `bad_query` that names the parameter.
 */
export function parseQuery<T>(schema: z.ZodType<T>, query: Record<string, string>): T {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const message =
    issue === undefined ? "The query can't be read." : `${issue.path.join(".")}: ${issue.message}`;
  throw new Problem("bad_query", message);
}

function wholeNumber(max: number) {
  const rule = `must be a whole number from 1 to ${max}`;
  return z.coerce.number(rule).int(rule).min(1, rule).max(max, rule);
}
