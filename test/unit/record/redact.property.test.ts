import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasCredentials, redactRequest } from "../../../src/record/redact.ts";
import { runs } from "../../support/property-runs.ts";

const CANARY = "canary-5f1e9c";

type Json = Record<string, unknown>;

const plain = fc.jsonValue({ maxDepth: 2 });
const secret = fc.oneof(
  fc.constant<unknown>(CANARY),
  fc.array(fc.record({ name: fc.string(), value: fc.constant(CANARY) }), { minLength: 1 }),
  fc.dictionary(fc.string(), fc.constant({ key: CANARY }), { minKeys: 1 }),
);
const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "type", "tools", "a"));

// Credentials at any place in a request, among anything else.
const { carrier } = fc.letrec<{ carrier: Json; holder: Json }>((tie) => ({
  holder: fc.oneof(
    fc
      .tuple(fc.dictionary(name, plain), secret)
      .map(([more, value]) => ({ ...more, domain_secrets: value })),
    fc
      .tuple(fc.dictionary(name, plain), fc.constantFrom("authorization", "headers"), secret)
      .map(([more, key, value]) => ({ ...more, type: "mcp", [key]: value })),
  ),
  carrier: fc.oneof(
    { depthSize: "small" },
    tie("holder"),
    fc
      .tuple(fc.dictionary(name, plain), name, tie("carrier"))
      .map(([more, key, inner]) => holding(more, key, inner)),
    fc
      .tuple(fc.array(plain, { maxLength: 3 }), name, tie("carrier"))
      .map(([more, key, inner]) => holding({}, key, [...more, inner])),
  ),
}));

// As JSON.parse makes it: __proto__ is a name like any other.
function holding(more: Json, key: string, inner: unknown): Json {
  const whole: Json = Object.fromEntries(Object.entries(more));
  Object.defineProperty(whole, key, { value: inner, enumerable: true, writable: true });
  return whole;
}

test("no credential survives, wherever it stands and whatever stands around it", () => {
  fc.assert(fc.property(carrier, hides), runs(500));
});

function hides(request: Json): void {
  expect(hasCredentials(request)).toBe(true);
  const clean = redactRequest(request);
  expect(JSON.stringify(clean)).not.toContain(CANARY);
  expect(hasCredentials(clean)).toBe(false);
}

test("nothing survives of one in a request that is too large to be kept whole", () => {
  fc.assert(fc.property(carrier, fc.nat(300_000), hidesInLarge), runs(50));
});

function hidesInLarge(request: Json, characters: number): void {
  const json = JSON.stringify(redactRequest({ ...request, filler: "x".repeat(characters) }));
  expect(json).not.toContain(CANARY);
  expect(json.length).toBeLessThan(140 * 1024);
}

test("a request without credentials stays as it is", () => {
  fc.assert(fc.property(fc.dictionary(name, fc.jsonValue()), isKept), runs(300));
});

function isKept(request: Json): void {
  const json = JSON.stringify(request);
  fc.pre(!/domain_secrets|authorization|headers/.test(json));
  expect(JSON.stringify(redactRequest(request))).toBe(json);
  expect(hasCredentials(request)).toBe(false);
}
