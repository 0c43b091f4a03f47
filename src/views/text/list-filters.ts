// The filters of the list as links and as words.
import { DEFAULT_LIST_ROWS, toFilterParams, type ListQuery } from "../../api/queries.ts";
import { STARTED_BY, toWords } from "./labels.ts";

/** A filter as a parameter of the list's URL. */
export type Filter = [name: string, value: string];

const NAMES: Record<string, string> = {
  q: "Search",
  verdict: "Verdict",
  status: "Status",
  model: "Model",
  started_by: "Started by",
  held: "Held",
  since: "Since",
  until: "Until",
};
const HELD: Record<string, string> = { true: "yes", false: "no" };

/** The URL of the first page with a query's filters, except that one of them has this value; null leaves it out. */
export function toFilteredUrl(query: ListQuery, name: string, value: string | null): string {
  const others = toFilterParams(query).filter((filter) => filter[0] !== name);
  return toUrl("/results", value === null ? others : [...others, [name, value]], query.limit, null);
}

/** The URL of a page with a query's filters; a cursor of null is that of the first page. */
export function toPageUrl(query: ListQuery, cursor: string | null): string {
  return toUrl("/results", toFilterParams(query), query.limit, cursor);
}

/** The URL of the export with a query's filters. */
export function toExportUrl(query: ListQuery): string {
  return toUrl("/results.ndjson", toFilterParams(query), DEFAULT_LIST_ROWS, null);
}

function toUrl(path: string, filters: Filter[], limit: number, cursor: string | null): string {
  const params = new URLSearchParams(filters);
  if (limit !== DEFAULT_LIST_ROWS) params.set("limit", String(limit));
  if (cursor !== null) params.set("cursor", cursor);
  return params.size === 0 ? path : `${path}?${params.toString()}`;
}

/** A filter in words, such as `Verdict: lost`, or `user = u3` of metadata. */
export function describeFilter([name, value]: Filter): string {
  const key = /^metadata\[(.*)\]$/s.exec(name)?.[1];
  if (key !== undefined) return `${key} = ${value}`;
  return `${NAMES[name] ?? name}: ${describeValue(name, value)}`;
}

function describeValue(name: string, value: string): string {
  if (name === "held") return HELD[value] ?? value;
  if (name === "started_by") return startedByLabel(value);
  return name === "verdict" || name === "status" ? toWords(value) : value;
}

/** What started a run, in words. */
export function startedByLabel(value: string): string {
  return Object.entries(STARTED_BY).find(([name]) => name === value)?.[1] ?? value;
}
