import { expect, test } from "vitest";
import type { z } from "zod";
import { listOperations } from "../../../src/api/operations.ts";
import {
  assertKnownParams,
  ExportQuery,
  ListQuery,
  parseQuery,
  toFilterParams,
  RecordQuery,
  toRunFilter,
} from "../../../src/api/queries.ts";
import { Problem } from "../../../src/errors.ts";

test("parseQuery treats an empty value as absent, as a form sends it", () => {
  expect(parseQuery(ListQuery, { verdict: "", status: "", cursor: "", limit: "" })).toEqual({
    limit: 25,
  });
});

test.each([
  [ListQuery, { limit: "0" }, "limit must be a whole number from 1 to 100."],
  [ListQuery, { limit: "1.5" }, "limit must be a whole number from 1 to 100."],
  [ListQuery, { limit: "abc" }, "limit must be a whole number from 1 to 100."],
  [ExportQuery, { limit: "51" }, "limit must be a whole number from 1 to 50."],
  [RecordQuery, { wait: "x" }, "wait must be a number of seconds from 0 to 60."],
  [RecordQuery, { wait: "61" }, "wait must be a number of seconds from 0 to 60."],
  [RecordQuery, { until: "end" }, "until must be one of readable, settled."],
])(
  "parseQuery refuses a bad value with 400 and says what it must be (%#)",
  (schema, query, message) => {
    const refused = { status: 400, code: "bad_query", message };
    expect(() => parseQuery<unknown>(schema, query)).toThrow(expect.objectContaining(refused));
  },
);

/** Values of which each parameter that has a rule refuses at least one. */
const BAD_VALUES = ["x", "-1", "1.5", "NaN", "x".repeat(5_000)];
/** Parameters that take every text. */
const UNLIMITED = new Set(["follow", "next", "input"]);
const QUERIES = listOperations().flatMap(({ method, path, query }) =>
  query === undefined ? [] : [{ route: `${method} ${path}`, query }],
);

test.each(QUERIES)("the query of $route is refused in words of ours", ({ query }) => {
  for (const name of Object.keys(query.shape)) {
    const param = name === "metadata" ? "metadata[key]" : name;
    const messages = BAD_VALUES.flatMap((value) => refusalOf(query, { [param]: value }));
    for (const message of messages) {
      expect(message).toMatch(/ (must (be|have) (?!a value)[^:]+|the cursor of [^:]+)\.$/);
      expect(message.startsWith(`${param} must`)).toBe(true);
    }
    expect(messages.length === 0).toBe(UNLIMITED.has(name));
  }
});

function refusalOf(query: z.ZodObject, given: Record<string, string>): string[] {
  try {
    parseQuery(query, given);
    return [];
  } catch (error) {
    return [String(error instanceof Problem ? error.message : error)];
  }
}

const refuse = (known: string[], names: string[]) => () => assertKnownParams(known, names);

test("assertKnownParams refuses a parameter that the route does not have, and lists those that it has", () => {
  expect(refuse(["limit", "metadata"], ["limit", "metadata[a]", "metadata[b[c]]"])).not.toThrow();
  expect(refuse(["limit", "metadata"], ["limt"])).toThrow(
    "limt is unknown here. This route takes limit, metadata[key].",
  );
  expect(refuse([], ["metadata[a]"])).toThrow(
    "metadata[a] is unknown here. This route takes no query parameters.",
  );
  expect(refuse(["limit"], ["__proto__"])).toThrow("__proto__ is unknown here.");
  expect(refuse(["limit"], ["x".repeat(101)])).toThrow(`${"x".repeat(100)}… is unknown`);
  expect(refuse(["limit"], ["limit", "limit"])).toThrow("Give limit only once.");
});

test("parseQuery reads metadata[key]=value, with an empty value too, and a blank search counts as absent", () => {
  const query = { "metadata[user]": "a", "metadata[a[b]]": "c", "metadata[empty]": "", q: "  " };
  expect(parseQuery(ListQuery, query)).toEqual({
    limit: 25,
    metadata: { user: "a", "a[b]": "c", empty: "" },
  });
});

test.each([
  [{ metadata: " user = a=b " }, { user: "a=b" }],
  [
    { "metadata[team]": "red", metadata: "user=a" },
    { team: "red", user: "a" },
  ],
  [{ "metadata[user]": "old", metadata: "user=new" }, { user: "new" }],
])("parseQuery reads %j, as a form without scripts sends it", (query, metadata) => {
  expect(parseQuery(ListQuery, query).metadata).toEqual(metadata);
});

test("toRunFilter takes a search for an id as that id", () => {
  expect(toRunFilter(parseQuery(ListQuery, { q: " resp_0a-b " }))).toMatchObject({
    id: "resp_0a-b",
    q: undefined,
  });
});

test.each(["resp_", "resp_a b", "xresp_a", '"resp_a"', "resp_ä"])(
  "toRunFilter takes a search for %j as words",
  (q) => {
    expect(toRunFilter(parseQuery(ListQuery, { q }))).toMatchObject({ id: undefined, q });
  },
);

test.each([
  [{ "metadata[a]": "b", metadata: "x" }, /^metadata must be given as metadata\[key\]=value\.$/],
  [{ metadata: "x" }, /^metadata must be given as metadata\[key\]=value\.$/],
  [{ "metadata[a]": "x".repeat(513) }, /^metadata\[a\] must have at most 512 characters\.$/],
  [{ held: "maybe" }, /^held must be one of true, false\.$/],
  [{ started_by: "me" }, /^started_by must be one of trigger, webhook, refetch, v1\.$/],
  [{ verdict: "fine" }, /^verdict must be one of captured, /],
  [{ since: "yesterday" }, /^since must be a date, or a time in ISO 8601 with its zone\.$/],
  [{ until: "2026-11-26T10:00:00" }, /^until must be a date, /],
  [{ q: "x".repeat(501) }, /^q must have at most 500 characters\.$/],
])("parseQuery rejects %j", (query, message) => {
  expect(() => parseQuery(ListQuery, query)).toThrow(message);
});

test("parseQuery accepts the 512 characters that OpenAI allows in a value of metadata", () => {
  const value = "x".repeat(512);
  expect(parseQuery(ListQuery, { "metadata[a]": value }).metadata).toEqual({ a: value });
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
