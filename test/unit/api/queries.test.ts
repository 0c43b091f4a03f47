import { expect, test } from "vitest";
import { ExportQuery, ListQuery, parseQuery, WaitQuery } from "../../../src/api/queries.ts";

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
