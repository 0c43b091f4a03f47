import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { decodeChunks } from "../../../src/lib/byte-stream.ts";
import { changeMembers, memberMap } from "../../../src/lib/json-scan.ts";
import { runs } from "../../support/property-runs.ts";

const encoder = new TextEncoder();

/** The new JSON as text. */
function change(json: string, changes: Record<string, string | null>): string {
  return decodeChunks(changeMembers(encoder.encode(json), new Map(Object.entries(changes))));
}

// No name has a backslash: after one, JSON.parse of V8 13.6 mistakes a name with an escape at the same place for it.
const name = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("a", "b", "input", "", '"', "\ud83d", "é", "{", ",", ":", "\n"),
  )
  .filter((text) => !text.includes("\\"));
const space = fc.constantFrom("", " ", "\n", "\t\r\n ");

const Members = z.record(z.string(), z.unknown());

/** The members of an object as JSON.parse reads them. */
function parseMembers(json: string): Map<string, unknown> {
  return new Map(Object.entries(Members.parse(JSON.parse(json))));
}

/** A string as JSON, with some characters as escapes. */
function escapeSome(text: string, every: number): string {
  const escaped = Array.from({ length: text.length }, (_, index) => {
    const unit = text.charCodeAt(index);
    const isPlain = every > 0 && index % every === 0;
    return isPlain
      ? `\\u${unit.toString(16).padStart(4, "0")}`
      : JSON.stringify(text[index]).slice(1, -1);
  });
  return `"${escaped.join("")}"`;
}

/** An object as JSON, as some client may write it: with white space, escapes and names that repeat. */
const object = fc
  .array(fc.tuple(name, fc.nat(3), fc.json(), space, space), { maxLength: 8 })
  .map((members) =>
    members.map(([key, every, value, before, after]) => {
      return `${before}${escapeSome(key.toWellFormed(), every)}${after}:${before}${value}${after}`;
    }),
  )
  .map((members) => `{${members.join(",")}}`);

const changes = fc.dictionary(
  name.map((text) => text.toWellFormed()),
  fc.option(fc.json()),
  { maxKeys: 4, noNullPrototype: true },
);

test("changeMembers gives what a change of the parsed object would, and keeps other values as they were written", () => {
  fc.assert(
    fc.property(object, changes, (json, changed) => {
      const result = change(json, changed);
      const expected = parseMembers(json);
      for (const [key, value] of Object.entries(changed)) {
        if (value === null) expected.delete(key);
        else expected.set(key, JSON.parse(value));
      }
      expect(parseMembers(result)).toEqual(expected);
      const before = memberMap(encoder.encode(json));
      const after = memberMap(encoder.encode(result));
      for (const [key, value] of after) {
        const own = Object.hasOwn(changed, key) ? changed[key] : null;
        const text = own ?? decodeChunks([before.get(key) ?? value]);
        expect(decodeChunks([value])).toBe(text);
      }
    }),
    runs(300),
  );
});

test("changeMembers writes no name twice", () => {
  fc.assert(
    fc.property(object, changes, (json, changed) => {
      const result = change(json, changed);
      const names = [...memberMap(encoder.encode(result)).keys()];
      const again = changeMembers(encoder.encode(result), new Map());
      expect(decodeChunks(again)).toBe(result);
      expect(names).toHaveLength(parseMembers(result).size);
    }),
    runs(100),
  );
});

test.each([
  ['{"a":1,"a":2}', {}, '{"a":2}'],
  ['{"a":1,"b":3,"a":2}', { a: "4" }, '{"a":4,"b":3}'],
  ['{"\\u0061":1}', { a: "2" }, '{"a":2}'],
  ['{"\\\\":1,"\\\\u0061":2}', { a: "3" }, '{"\\\\":1,"\\\\u0061":2,"a":3}'],
  ['{"a":1}', { a: null }, "{}"],
  ['{"a":1}', { b: null }, '{"a":1}'],
  ["{}", { a: '"x"' }, '{"a":"x"}'],
  [" { } ", { a: "[1]" }, '{"a":[1]}'],
  ['{"a":{"b":1,"b":2}}', { b: "3" }, '{"a":{"b":1,"b":2},"b":3}'],
  ['{"a":"}\\",{"}', { b: "1" }, '{"a":"}\\",{","b":1}'],
  ['{"n":1.0,"big":12345678901234567890}', {}, '{"n":1.0,"big":12345678901234567890}'],
])("changeMembers of %s with %j gives %s", (json, changed, expected) => {
  expect(change(json, changed)).toBe(expected);
});

test("changeMembers does not copy a value that stays", () => {
  const json = encoder.encode(`{"input":"${"x".repeat(1_000)}","hold":true}`);
  const chunks = changeMembers(json, new Map([["hold", null]]));
  expect(
    chunks.some(({ buffer, byteLength }) => buffer === json.buffer && byteLength > 1_000),
  ).toBe(true);
});
