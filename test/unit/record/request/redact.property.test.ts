import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../../../../src/lib/json-parse.ts";
import { decodeChunks } from "../../../../src/lib/byte-stream.ts";
import {
  hasCredentials,
  redactRequest,
  redactJson,
} from "../../../../src/record/request/redact.ts";
import { runs } from "../../../support/property-runs.ts";

const CANARY = "canary-5f1e9c";

type JsonObject = Record<string, unknown>;

const plainJson = fc.jsonValue({ maxDepth: 2 });
const secret = fc.oneof(
  fc.constant<unknown>(CANARY),
  fc.array(fc.record({ name: fc.string(), value: fc.constant(CANARY) }), { minLength: 1 }),
  fc.dictionary(fc.string(), fc.constant({ key: CANARY }), { minKeys: 1 }),
);
const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", "type", "tools", "a"));

// Requests that contain credentials anywhere, among anything else.
const { request: requestWithSecret } = fc.letrec<{ request: JsonObject; secretHolder: JsonObject }>(
  (tie) => ({
    secretHolder: fc.oneof(
      fc
        .tuple(fc.dictionary(key, plainJson), secret)
        .map(([rest, value]) => ({ ...rest, domain_secrets: value })),
      fc
        .tuple(fc.dictionary(key, plainJson), fc.constantFrom("authorization", "headers"), secret)
        .map(([rest, name, value]) => ({ ...rest, type: "mcp", [name]: value })),
    ),
    request: fc.oneof(
      { depthSize: "small" },
      tie("secretHolder"),
      fc
        .tuple(fc.dictionary(key, plainJson), key, tie("request"))
        .map(([rest, name, inner]) => withMember(rest, name, inner)),
      fc
        .tuple(fc.array(plainJson, { maxLength: 3 }), key, tie("request"))
        .map(([rest, name, inner]) => withMember({}, name, [...rest, inner])),
    ),
  }),
);

// Like JSON.parse, for which __proto__ is a key like any other.
function withMember(object: JsonObject, name: string, value: unknown): JsonObject {
  const copy: JsonObject = Object.fromEntries(Object.entries(object));
  Object.defineProperty(copy, name, { value, enumerable: true, writable: true });
  return copy;
}

test("redactRequest removes credentials wherever they stand in a request", () => {
  fc.assert(fc.property(requestWithSecret, removesCredentials), runs(500));
});

function removesCredentials(request: JsonObject): void {
  expect(hasCredentials(request)).toBe(true);
  const redacted = redactRequest(request);
  expect(JSON.stringify(redacted)).not.toContain(CANARY);
  expect(hasCredentials(redacted)).toBe(false);
}

test("redactRequest removes credentials from a request that is too large to be kept whole", () => {
  fc.assert(fc.property(requestWithSecret, fc.nat(300_000), removesCredentialsFromLarge), runs(50));
});

function removesCredentialsFromLarge(request: JsonObject, characters: number): void {
  const json = JSON.stringify(redactRequest({ ...request, filler: "x".repeat(characters) }));
  expect(json).not.toContain(CANARY);
  expect(json.length).toBeLessThan(140 * 1024);
}

test("redactRequest leaves a request without credentials as it is", () => {
  fc.assert(fc.property(fc.dictionary(key, fc.jsonValue()), keepsRequest), runs(300));
});

function keepsRequest(request: JsonObject): void {
  const json = JSON.stringify(request);
  fc.pre(!/domain_secrets|authorization|headers/.test(json));
  expect(JSON.stringify(redactRequest(request))).toBe(json);
  expect(hasCredentials(request)).toBe(false);
}

const MASK = "<redacted>";

test("redactJson leaves a response whose credentials OpenAI has masked as it is, byte for byte", () => {
  const tools = [{ type: "mcp", authorization: MASK, headers: { "x-key": MASK }, server_url: "h" }];
  const value = { id: "resp_1", tools };
  const chunks = [new TextEncoder().encode(JSON.stringify(value, null, 2))];
  expect(redactJson(chunks, value)).toBe(chunks);
});

test("redactJson removes what is not masked, from each of two members with the same name", () => {
  const toolsJson = `[{"type":"mcp","headers":{"a":"${MASK}","b":"${CANARY}"}}]`;
  const json = `{"tools":${toolsJson},"response":{"tools":${toolsJson},"tools":${toolsJson}}}`;
  const value: unknown = JSON.parse(json);
  const chunks = redactJson([new TextEncoder().encode(json)], value);
  expect(decodeChunks(chunks)).not.toContain(CANARY);
});

test.each(["tools", "t\\u006fols"])(
  "redactJson removes credentials of a member called %s that another with the same name hides",
  (name) => {
    const open = `[{"type":"mcp","authorization":"${CANARY}"}]`;
    for (const text of [
      `{"${name}":${open},"tools":[]}`,
      `{"type":"x","response":{"${name}":${open},"tools":null}}`,
      `{"response":{"${name}":${open}},"response":{}}`,
      `{"${name}":[{"type":"mcp","authorization":"${CANARY}","authorization":"${MASK}"}]}`,
      `{"${name}":[{"type":"mcp","type":"x","headers":{"a":"${CANARY}"},"headers":null}]}`,
    ]) {
      const chunks = redactJson([new TextEncoder().encode(text)], JSON.parse(text), text);
      expect(decodeChunks(chunks)).not.toContain(CANARY);
      expect(parseJson(decodeChunks(chunks))).toBeDefined();
    }
  },
);

test("redactJson leaves a response that says tools twice without credentials as it is", () => {
  const text = '{"tools":[{"type":"mcp"}],"tools":[]}';
  const chunks = [new TextEncoder().encode(text)];
  expect(redactJson(chunks, JSON.parse(text), text)).toBe(chunks);
});
