// The queries that routes accept.
import * as z from "zod";
import { Problem } from "../errors.ts";
import type { RunFilter } from "../objects/catalog/filter.ts";
import { ResponseRecord, RunVerdict } from "../record/schema.ts";

/** Rows on a page of the list, unless the query says otherwise. */
export const DEFAULT_LIST_ROWS = 25;
/** Records on a page of the export. */
export const MAX_EXPORT_ROWS = 50;

/** Records that one page of the rebuild lists at most. Cloudflare allows 1,000 operations an invocation on the paid plan, and 50 on the free one. */
const MAX_REBUILT_RECORDS = 900;
/** Days that the statistics count at most. */
const MAX_STATS_DAYS = 366;

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_SEARCH_LENGTH = 500;
/** OpenAI's limits. SQLite takes 100 values in a statement, and a pair takes three of them. */
const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_VALUE_LENGTH = 512;
/** Characters of a parameter's name that an error repeats. */
const MAX_SHOWN_LENGTH = 100;

const cursor = textUpTo(2_000, "must be the cursor of the page before")
  .describe("The `cursor` of the page before; none for the first page")
  .optional();
const text = textUpTo(200);
const TIME_RULE = "must be a date, or a time in ISO 8601 with its zone";
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], TIME_RULE);

/** What the runs of a list or of an export have in common. */
const FilterQuery = z.object({
  verdict: RunVerdict.describe("Runs with this verdict").optional(),
  status: text.describe("Runs with this status of OpenAI's").optional(),
  model: text.describe("Runs of this model, by its whole name").optional(),
  started_by: ResponseRecord.shape.started_by.describe("What the recording began with").optional(),
  held: z
    .enum(["true", "false"])
    .describe("Whether a connection to OpenAI was held for the run")
    .optional(),
  since: time.describe("Runs whose recording began at this time or later").optional(),
  until: time
    .describe("Runs whose recording began before this time, or before the end of this day")
    .optional(),
  q: textUpTo(MAX_SEARCH_LENGTH)
    .describe(
      "Words that were asked, printed or said; the last one can be the beginning of a word, of 3 letters or more. Or the id of a response, `resp_…`",
    )
    .optional(),
  metadata: z
    .record(z.string(), atMost(MAX_METADATA_VALUE_LENGTH), "must be given as metadata[key]=value")
    .refine(
      (pairs) => Object.keys(pairs).length <= MAX_METADATA_PAIRS,
      `must have at most ${MAX_METADATA_PAIRS} pairs`,
    )
    .describe(
      "Up to 16 pairs of the response's metadata, as metadata[key]=value; one also as metadata=key=value",
    )
    .optional(),
});
export type FilterQuery = z.infer<typeof FilterQuery>;

/** The list's query: a page and its filter. */
export const ListQuery = z.object({
  limit: wholeNumber(100).default(DEFAULT_LIST_ROWS).describe("Runs of a page"),
  cursor,
  ...FilterQuery.shape,
});
export type ListQuery = z.infer<typeof ListQuery>;

/** The export's query. */
export const ExportQuery = z.object({
  cursor,
  limit: wholeNumber(MAX_EXPORT_ROWS)
    .describe("Records of a page; without it as many as one request can read")
    .optional(),
  ...FilterQuery.shape,
});

const CALL_RULE = "must be the number of a call, from 1";
const WAIT_RULE = "must be a number of seconds from 0 to 60";

const waitFields = {
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
};

/** The query of what a record contains. */
export const WaitQuery = z.object(waitFields);

/** The query of one record. */
export const RecordQuery = z.object({
  ...waitFields,
  follow: z.string().describe("On the page: shows the progress of a settled run, too").optional(),
});

/** The query of what code printed. */
export const OutputsQuery = z.object({
  ...waitFields,
  call: z.coerce
    .number(CALL_RULE)
    .int(CALL_RULE)
    .min(1, CALL_RULE)
    .describe("Only this call, from 1")
    .optional(),
  from: z.enum(["control"]).describe("`control`: what the control's code printed").optional(),
  strict: z
    .enum(["true", "false"])
    .describe("`false`: also when outputs are missing, with those that are there")
    .optional(),
});
export type OutputsQuery = z.infer<typeof OutputsQuery>;

const flag = z.enum(["on", "off"]);

/** The query of the form of a new run. */
export const TriggerQuery = z
  .object({
    from: textUpTo(300).describe("A run: the form has its request and its flags").optional(),
    input: z.string().describe("In place of the run's input, or of the example's").optional(),
    hold: flag.describe("`hold`, in place of the run's").optional(),
    stream: flag.describe("`stream`, in place of the run's").optional(),
    control: flag.describe("`control`, in place of the run's").optional(),
  })
  .refine(({ hold, stream, control }) => hold !== "on" || ![stream, control].includes("on"), {
    path: ["hold"],
    error: "goes neither with control nor with stream",
  });
export type TriggerQuery = z.infer<typeof TriggerQuery>;

/** The query of the health. */
export const HealthQuery = z.object({
  deep: z
    .enum(["1"])
    .describe("`1`, with a token: also tries the settings, KV and the objects")
    .optional(),
});

/** The query of the statistics. */
export const StatsQuery = z.object({
  days: wholeNumber(MAX_STATS_DAYS)
    .default(30)
    .describe("How many days, today included. Days are UTC's"),
});

/** The query of a page of the rebuild. */
export const RebuildQuery = z.object({
  cursor,
  limit: wholeNumber(MAX_REBUILT_RECORDS)
    .default(45)
    .describe("Records of a page, each of which takes an operation of the request's"),
});

/** The query of a login. */
export const LoginQuery = z.object({
  next: z.string().describe("The path to go to afterwards").optional(),
});

/**
 * Parses a query. An empty value counts as absent, because a form sends one for each field that was left empty; that of a pair of metadata does not.
 * @throws Problem 400 `bad_query` that names the parameter, and says what it must be.
 */
export function parseQuery<T>(schema: z.ZodType<T>, query: Record<string, string>): T {
  const parsed = schema.safeParse(toFields(query), { error: toRule });
  if (parsed.success) return parsed.data;
  const [{ path, message } = { path: [], message: RULE_OF_LAST_RESORT }] = parsed.error.issues;
  throw badQuery(`${toParamName(path)} ${message}.`);
}

/**
 * Refuses a query with a parameter that a route does not have: it would be ignored in silence.
 * @param known The names of the route's parameters.
 * @param names The names in the query, each as often as it is there.
 * @throws Problem 400 `bad_query` that lists the known ones.
 */
export function assertKnownParams(known: readonly string[], names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    const base = METADATA_PARAM.test(name) ? "metadata" : name;
    if (!known.includes(base))
      throw badQuery(`${toShown(name)} is unknown here. ${listParams(known)}`);
    if (names.indexOf(name) !== index) throw badQuery(`Give ${toShown(name)} only once.`);
  }
}

function listParams(known: readonly string[]): string {
  if (known.length === 0) return "This route takes no query parameters.";
  const names = known.map((name) => (name === "metadata" ? "metadata[key]" : name));
  return `This route takes ${names.join(", ")}.`;
}

const RULE_OF_LAST_RESORT = "has a value that can't be used; see /openapi.json";

// What a value must be, where its schema does not say so itself: zod's own words name its types.
function toRule(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== "invalid_value") return RULE_OF_LAST_RESORT;
  const values = issue.values.map(String);
  return values.length === 1 ? `must be ${values.join()}` : `must be one of ${values.join(", ")}`;
}

function toParamName([name = "the query", key]: PropertyKey[]): string {
  return toShown(key === undefined ? String(name) : `${String(name)}[${String(key)}]`);
}

function toShown(name: string): string {
  return name.length <= MAX_SHOWN_LENGTH ? name : `${name.slice(0, MAX_SHOWN_LENGTH)}…`;
}

function badQuery(message: string): Problem {
  return new Problem("bad_query", message);
}

const SEARCHED_ID = /^resp_[\w.=-]{1,295}$/;

/** The id of the response that a search is for; undefined when it is for words. */
export function toSearchedId({ q = "" }: FilterQuery): string | undefined {
  return SEARCHED_ID.exec(q.trim())?.[0];
}

/** The filter of a query, as the Catalog takes it. */
export function toRunFilter(query: FilterQuery): RunFilter {
  const { verdict, status, model, started_by, held, since, until, metadata } = query;
  const id = toSearchedId(query);
  return {
    id,
    verdict,
    status,
    model,
    started_by,
    held: held === undefined ? undefined : held === "true",
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : endOf(until),
    q: id === undefined ? query.q : undefined,
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

// zod drops a key of this name, and the filter with it.
const DROPPED_KEY = "__proto__";
const METADATA_PARAM = new RegExp(`^metadata\\[(?!${DROPPED_KEY}\\]$)(.+)\\]$`, "s");

function toFields(query: Record<string, string>): Record<string, unknown> {
  const given = Object.entries(query).filter(
    ([name, value]) => value.trim() !== "" || METADATA_PARAM.test(name),
  );
  const metadata = given.flatMap(([name, value]) => toMetadataPair(name, value));
  const fields = given.filter(([name, value]) => toMetadataPair(name, value).length === 0);
  if (metadata.length === 0) return Object.fromEntries(fields);
  return { metadata: Object.fromEntries(metadata), ...Object.fromEntries(fields) };
}

// A form without scripts can't put a key into the name of a field, so it sends metadata=key=value.
function toMetadataPair(name: string, value: string): [string, string][] {
  const inName = METADATA_PARAM.exec(name)?.[1];
  if (inName !== undefined) return [[inName, value]];
  const [, key, rest] = (name === "metadata" && /^([^=]+)=(.+)$/s.exec(value)) || [];
  if (key === undefined || rest === undefined || key.trim() === DROPPED_KEY) return [];
  return [[key.trim(), rest.trim()]];
}

// A day counts to its end.
function endOf(until: string): number {
  const isDay = z.iso.date().safeParse(until).success;
  return Date.parse(until) + (isDay ? DAY_MS : 0);
}

function textUpTo(max: number, rule?: string) {
  return atMost(max, rule).min(1, rule);
}

function atMost(max: number, rule = `must have at most ${max} characters`) {
  return z.string().max(max, rule);
}

function wholeNumber(max: number) {
  const rule = `must be a whole number from 1 to ${max}`;
  return z.coerce.number(rule).int(rule).min(1, rule).max(max, rule);
}
