import * as fc from "fast-check";
import { expect, test } from "vitest";
import { describeJsonError } from "../../../public/assets/json-error.js";
import { runs } from "../../support/property-runs.ts";

test.each([
  ["", "Line 1, column 1: a value must stand here"],
  ["{", "Line 1, column 2: a name in double quotes or } must stand here"],
  ['{"a": 1,}', "Line 1, column 9: a name in double quotes must stand here"],
  ['{\n  "a" 1}', "Line 2, column 7: a colon must follow the name"],
  ["{'a': 1}", "Line 1, column 2: strings and names stand in double quotes"],
  ['{\r\n  "a": tru\r\n}', "Line 2, column 8: a value must stand here"],
  ['{"a": "x\n"}', "Line 1, column 7: this string has no closing quote"],
  ["[1, 2", "Line 1, column 6: a comma or ] must stand here"],
  ['{"a": 1]', "Line 1, column 8: a comma or } must stand here"],
  ['{"a": 1} x', "Line 1, column 10: nothing may follow the end of the JSON"],
  ['{"😀": 01}', "Line 1, column 7: a value must stand here"],
])("describeJsonError of %j is %s", (json, message) => {
  expect(describeJsonError(json)).toContain(message);
});

/** Indented JSON, and the place of one of its tokens. */
const jsonAndPlace = fc.tuple(fc.jsonValue(), fc.nat()).map(([value, nth]) => {
  const json = JSON.stringify(value, null, 1);
  const tokens = [...json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)];
  return { json, at: tokens[nth % tokens.length]?.index ?? 0 };
});

test("describeJsonError names the place of a character that no JSON has there", () => {
  const property = fc.property(jsonAndPlace, ({ json, at }) => {
    const before = json.slice(0, at);
    expect(describeJsonError(`${before} #${json.slice(at)}`)).toMatch(toPlace(`${before} `));
  });
  fc.assert(property, runs(1_000));
});

test("describeJsonError names the end of JSON that was cut off", () => {
  const property = fc.property(jsonAndPlace, ({ json, at }) => {
    const before = json.slice(0, at);
    expect(describeJsonError(before)).toMatch(toPlace(before));
  });
  fc.assert(property, runs(1_000));
});

/** The beginning of the message about what follows a text. */
function toPlace(before: string): RegExp {
  const lines = before.split("\n");
  return new RegExp(`^Line ${lines.length}, column ${Array.from(lines.at(-1) ?? "").length + 1}: `);
}
