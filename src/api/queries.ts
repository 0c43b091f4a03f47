// The queries that routes accept.
import * as z from "zod";
import { Problem } from "../errors.ts";
import type { RunFilter } from "../objects/catalog/filter.ts";
import { ResponseRecord, RunVerdict } from "../record/schema.ts";

/** Records on a page of the export. */
export const MAX_EXPORT_ROWS = 50;

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_SEARCH_LENGTH = 500;

const cursor = z.string().min(1).max(2_000, "must be the cursor of the page before").optional();
const text = z.string().min(1).max(200, "must have at most 200 characters");
const TIME_RULE = "must be a date, or a time in ISO 8601 with its zone";
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], TIME_RULE);

/** What the runs of a list or of an export have in common. */
const FilterQuery = z.object({
  verdict: RunVerdict.optional(),
  status: text.optional(),
  model: text.optional(),
  started_by: ResponseRecord.shape.started_by.optional(),
  held: z.enum(["true", "false"]).optional(),
  since: time.describe("Runs whose recording began at this time or later").optional(),
  until: time
    .describe("Runs whose recording began before this time, or before the end of this day")
    .optional(),
  q: z
    .string()
    .max(MAX_SEARCH_LENGTH, `must have at most ${MAX_SEARCH_LENGTH} characters`)
    .describe("Words that were asked, printed or said; the last one can be the beginning of a word")
    .optional(),
  metadata: z
    .record(z.string(), text.max(512), "must be given as metadata[key]=value")
    .describe("Pairs of the response's metadata, as metadata[key]=value")
    .optional(),
});
type FilterQuery = z.infer<typeof FilterQuery>;

/** The list's query: a page and its filter. */
export const ListQuery = z.object({
  limit: wholeNumber(100).default(25),
  cursor,
  ...FilterQuery.shape,
});
export type ListQuery = z.infer<typeof ListQuery>;

/** The export's query. */
export const ExportQuery = z.object({
  cursor,
  limit: wholeNumber(MAX_EXPORT_ROWS).optional(),
  ...FilterQuery.shape,
});

const WAIT_RULE = "must be a number of seconds from 0 to 60";

/** The query of one record. */
export const WaitQuery = z.object({
  wait: z.coerce
    .number(WAIT_RULE)
    .min(0, WAIT_RULE)
    .max(60, WAIT_RULE)
    .describe("Seconds to wait until it can be read")
    .optional(),
  until: z
    .enum(["readable", "settled"])
    .describe("What to wait for; `settled`: until no observation is planned any more")
    .optional(),
});

/**
 * Parses a query. An empty value counts as absent: a form sends one for each field that was left empty.
 * @throws Problem 400 `bad_query` that names the parameter.
 */
export function parseQuery<T>(schema: z.ZodType<T>, query: Record<string, string>): T {
  const parsed = schema.safeParse(toFields(query));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const message =
    issue === undefined ? "The query can't be read." : `${issue.path.join(".")}: ${issue.message}`;
  throw new Problem("bad_query", message);
}

/** The filter of a query, as the Catalog takes it. */
export function toRunFilter(query: FilterQuery): RunFilter {
  const { verdict, status, model, started_by, held, since, until, q, metadata } = query;
  return {
    verdict,
    status,
    model,
    started_by,
    held: held === undefined ? undefined : held === "true",
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : endOf(until),
    q,
    metadata,
  };
}

/** The filter of a query as parameters of a URL. */
export function toFilterParams(query: FilterQuery): [string, string][] {
  const { metadata = {}, ...fields } = FilterQuery.parse(query);
  const plain = Object.entries(fields).filter((entry) => entry[1] !== undefined);
  const pairs = Object.entries(metadata).map(([key, value]): [string, string] => [
    `metadata[${key}]`,
    value,
  ]);
  return [...plain, ...pairs];
}

const METADATA_PARAM = /^metadata\[(.+)\]$/s;

function toFields(query: Record<string, string>): Record<string, unknown> {
  const given = Object.entries(query).filter(([, value]) => value.trim() !== "");
  const fields = given.filter(([name]) => !METADATA_PARAM.test(name));
  const metadata = given.flatMap(([name, value]): [string, string][] => {
    const key = METADATA_PARAM.exec(name)?.[1];
    return key === undefined ? [] : [[key, value]];
  });
  if (metadata.length === 0) return Object.fromEntries(fields);
  return { ...Object.fromEntries(fields), metadata: Object.fromEntries(metadata) };
}

// A day counts to its end.
function endOf(until: string): number {
  const isDay = z.iso.date().safeParse(until).success;
  return Date.parse(until) + (isDay ? DAY_MS : 0);
}

function wholeNumber(max: number) {
  const rule = `must be a whole number from 1 to ${max}`;
  return z.coerce.number(rule).int(rule).min(1, rule).max(max, rule);
}
