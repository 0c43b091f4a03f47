import { expect, test } from "vitest";
import { ListQuery, parseQuery, toFilterParams } from "../../../../src/api/queries.ts";
import {
  describeFilter,
  toExportUrl,
  toFilteredUrl,
  toPageUrl,
} from "../../../../src/views/text/list-filters.ts";

const QUERY = parseQuery(ListQuery, {
  q: "prime numbers",
  verdict: "no_calls",
  "metadata[user]": "a&b",
  cursor: "x",
});

test("toFilteredUrl changes one filter, keeps the others, and begins at the first page", () => {
  expect(toFilteredUrl(QUERY, "verdict", "lost")).toBe(
    "/results?q=prime+numbers&metadata%5Buser%5D=a%26b&verdict=lost",
  );
  expect(toFilteredUrl(QUERY, "metadata[user]", null)).toBe(
    "/results?verdict=no_calls&q=prime+numbers",
  );
});

test("toPageUrl and toExportUrl keep every filter", () => {
  const filters = "verdict=no_calls&q=prime+numbers&metadata%5Buser%5D=a%26b";
  expect(toPageUrl(QUERY, "next")).toBe(`/results?${filters}&cursor=next`);
  expect(toExportUrl(QUERY)).toBe(`/results.ndjson?${filters}`);
});

test("a URL has the number of rows only when it is not the usual one, and nothing without filters", () => {
  expect(toPageUrl(parseQuery(ListQuery, {}), null)).toBe("/results");
  expect(toPageUrl(parseQuery(ListQuery, { limit: "5" }), null)).toBe("/results?limit=5");
});

test("describeFilter says each filter in words", () => {
  const query = parseQuery(ListQuery, {
    verdict: "no_calls",
    status: "in_progress",
    model: "m",
    started_by: "trigger",
    held: "false",
    since: "2026-11-25",
    until: "2026-11-26",
    q: "a",
    "metadata[user]": "u",
  });
  expect(toFilterParams(query).map(describeFilter)).toEqual([
    "Verdict: no calls",
    "Status: in progress",
    "Model: m",
    "Started by: this recorder",
    "Held: no",
    "Since: 2026-11-25",
    "Until: 2026-11-26",
    "Search: a",
    "user = u",
  ]);
});
