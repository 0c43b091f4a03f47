import { expect, test } from "vitest";
import { toFtsQuery, toListQuery } from "../../../../src/objects/catalog/filter.ts";

test.each([
  ["prime", '"prime"*'],
  ["  prime\tnumbers ", '"prime" "numbers"*'],
  ['a "quoted" word', '"a" """quoted""" "word"*'],
  ["a OR bit*", '"a" "OR" "bit*"*'],
  ["NEAR(a bee)", '"NEAR(a" "bee)"*'],
  ["素", '"素"*'],
  ["a\0bee", '"a" "bee"*'],
])("toFtsQuery quotes every word of %j, and searches the last as a prefix", (q, query) => {
  expect(toFtsQuery(q)).toBe(query);
});

test.each([
  ["prime nu", '"prime" "nu"'],
  ["x", '"x"'],
  ["prime-nu.", '"prime-nu."'],
  ["-", '"-"'],
  ["素", '"素"*'],
])("toFtsQuery searches a last word of one or two letters as it is: %j", (q, query) => {
  expect(toFtsQuery(q)).toBe(query);
});

test("toListQuery has a value for each question mark, and no text of the caller", () => {
  const filter = {
    id: "x' OR 1=1 --",
    verdict: "lost",
    status: "x' OR 1=1 --",
    model: "x' OR 1=1 --",
    started_by: "v1",
    held: true,
    sinceMs: 1,
    untilMs: 2,
    q: "x' OR 1=1 --",
    metadata: { "x' OR 1=1 --": "y", "": "z" },
  } as const;
  const { sql, values } = toListQuery(filter, 5, 10, 0);
  expect(sql.split("?")).toHaveLength(values.length + 1);
  expect(sql).not.toContain("OR 1=1");
});
