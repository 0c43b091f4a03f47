import { expect, test } from "vitest";
import { parseJsonBody, toJsonBody } from "../../../src/api/json-body.ts";
import { matching } from "../../support/matchers.ts";

function toBytes(text: string): ArrayBuffer {
  return Uint8Array.from(new TextEncoder().encode(text)).buffer;
}

function parse(text: string): unknown {
  return parseJsonBody(toBytes(text)).value;
}

function nestArrays(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

/** A text between two others, as bytes. */
function withBytes(before: string, bytes: number[], after: string): ArrayBuffer {
  return Uint8Array.from([
    ...new TextEncoder().encode(before),
    ...bytes,
    ...new TextEncoder().encode(after),
  ]).buffer;
}

test.each(["", " ", "\n\t", "\ufeff"])("parseJsonBody reads %j as an empty object", (text) => {
  const { json, value } = parseJsonBody(toBytes(text));
  expect([new TextDecoder().decode(json), value]).toEqual(["{}", {}]);
});

test.each(["null", "1", '"x"', "[]", '{"a":[1,{"b":null}]}', ' {"a" : 1e2} '])(
  "parseJsonBody reads %s, and keeps its bytes",
  (text) => {
    const { json, value } = parseJsonBody(toBytes(text));
    expect(value).toEqual(JSON.parse(text));
    expect(new TextDecoder().decode(json)).toBe(text);
  },
);

test("parseJsonBody reads the last of two members with the same name, and names with escapes", () => {
  expect(parse('{"a":1,"b":2,"\\u0061":3}')).toEqual({ a: 3, b: 2 });
});

test("parseJsonBody ignores a byte order mark at the beginning, and keeps one in a text", () => {
  expect(parse('\ufeff{"a":"\ufeffx"}')).toEqual({ a: "\ufeffx" });
});

test.each([
  "{",
  "{}{}",
  "{}x",
  "{'a':1}",
  '{"a":1,}',
  "[1 2]",
  "NaN",
  '{"a":"\n"}',
  '"\\ud83"',
  "\ufeff\ufeff{}",
])("parseJsonBody rejects %j", (text) => {
  expect(() => parse(text)).toThrow(/not JSON in UTF-8/);
});

/** Where the bytes that are decoded at once end. */
const BOUNDARY = 64 * 1024;

test.each([
  ["a lone byte", [0xff]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["half a character", [0xe6, 0x95]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a character beyond U+10FFFF", [0xf5, 0x80, 0x80, 0x80]],
])("parseJsonBody rejects %s in a text, wherever it stands", (_, bytes) => {
  for (const length of [0, BOUNDARY - 7, BOUNDARY - 6, BOUNDARY, 3 * BOUNDARY]) {
    const body = withBytes(`{"a":"${"x".repeat(length)}`, bytes, '"}');
    expect(() => parseJsonBody(body)).toThrow(/not JSON in UTF-8/);
  }
});

test("parseJsonBody rejects UTF-16", () => {
  const units = Uint16Array.from('{"a":1}', (character) => character.charCodeAt(0));
  expect(() => parseJsonBody(units.buffer)).toThrow(/not JSON in UTF-8/);
});

test("parseJsonBody reads a character that is split where decoding begins again", () => {
  for (const shift of [0, 1, 2, 3]) {
    const text = `${"x".repeat(BOUNDARY - 8 + shift)}🎈 数据`;
    expect(parse(`{"a":"${text}"}`)).toEqual({ a: text });
  }
});

test("parseJsonBody truncates a long text in the value alone", () => {
  const text = `{"input":"${"é".repeat(1024 * 1024)}","a":1}`;
  const { json, value } = parseJsonBody(toBytes(text));
  expect(json.byteLength).toBe(2 * 1024 * 1024 + 18);
  expect(value).toMatchObject({ input: matching(/^é{1000,100000}$/), a: 1 });
});

test("parseJsonBody reads 200 levels, and rejects 201 and a __proto__ key at any level", () => {
  expect(parse(nestArrays(200))).toBeInstanceOf(Array);
  expect(() => parse(nestArrays(201))).toThrow(/more than 200 levels/);
  for (const text of ['{"__proto__":1}', '[{"a":{"\\u005f_proto__":{}}}]']) {
    expect(() => parse(text)).toThrow(/__proto__/);
  }
});

test("toJsonBody gives the JSON of a value", () => {
  const { json, value } = toJsonBody({ a: "数据" });
  expect(parse(new TextDecoder().decode(json))).toEqual(value);
});
