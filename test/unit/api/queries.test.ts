import { expect, test } from "vitest";
import {
  ExportQuery,
  ListQuery,
  parseQuery,
  toFilterParams,
  toRunFilter,
  WaitQuery,
} from "../../../src/api/queries.ts";

test("parseQuery treats an empty value as absent, as a form sends it", () => {
  expect(parseQuery(ListQuery, { verdict: "", status: "", cursor: "", limit: "" })).toEqual({
    limit: 25,
  });
});

test("parseQuery ignores parameters that the route does not know", () => {
  expect(parseQuery(WaitQuery, { follow: "1", wait: "5" })).toEqual({ wait: 5 });
});

test.each([
  [ListQuery, { limit: "0" }, "limit: must be a whole number from 1 to 100"],
  [ListQuery, { limit: "1.5" }, "limit: must be a whole number from 1 to 100"],
  [ExportQuery, { limit: "51" }, "limit: must be a whole number from 1 to 50"],
  [WaitQuery, { wait: "x" }, "wait: must be a number of seconds from 0 to 60"],
  [WaitQuery, { wait: "61" }, "wait: must be a number of seconds from 0 to 60"],
])(
  "parseQuery refuses a bad value with 400 and says what it must be (%#)",
  (schema, query, rule) => {
    const refused = { status: 400, code: "bad_query", message: rule };
    expect(() => parseQuery<unknown>(schema, query)).toThrow(expect.objectContaining(refused));
  },
);

test("parseQuery reads metadata[key]=value, and a blank search counts as absent", () => {
  const query = { "metadata[user]": "a", "metadata[a[b]]": "c", "metadata[empty]": "", q: "  " };
  expect(parseQuery(ListQuery, query)).toEqual({
    limit: 25,
    metadata: { user: "a", "a[b]": "c" },
  });
});

test.each([
  [{ metadata: "x" }, /^metadata: must be given as metadata\[key\]=value$/],
  [{ held: "maybe" }, /^held: /],
  [{ started_by: "me" }, /^started_by: /],
  [{ since: "yesterday" }, /^since: must be a date/],
  [{ until: "2026-11-26T10:00:00" }, /^until: must be a date/],
  [{ q: "x".repeat(501) }, /^q: must have at most 500 characters$/],
])("parseQuery rejects %j", (query, message) => {
  expect(() => parseQuery(ListQuery, query)).toThrow(message);
});

test("toRunFilter counts a day in `until` to its end", () => {
  expect(toUntil("2026-11-26")).toBe("2026-11-27T00:00:00.000Z");
  expect(toUntil("2026-11-26T00:00:00Z")).toBe("2026-11-26T00:00:00.000Z");
  expect(toUntil("2026-11-26T01:00:00+01:00")).toBe("2026-11-26T00:00:00.000Z");
});

function toUntil(until: string): string {
  const { untilMs = 0 } = toRunFilter(parseQuery(ListQuery, { until }));
  return new Date(untilMs).toISOString();
}

test("toFilterParams gives every filter back, and nothing else", () => {
  const query = {
    verdict: "lost",
    status: "completed",
    model: "m",
    started_by: "v1",
    held: "false",
    since: "2026-11-25",
    until: "2026-11-26T10:00:00Z",
    q: "a b",
    "metadata[user]": "a",
  };
  const parsed = parseQuery(ListQuery, { ...query, limit: "5", cursor: "x" });
  expect(Object.fromEntries(toFilterParams(parsed))).toEqual(query);
});
