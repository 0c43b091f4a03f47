import { expect, test } from "vitest";
import { z } from "zod";
import { toRuleText, toTypeText } from "../../../../src/views/text/json-shape.ts";

function toSchema(type: z.ZodType): Record<string, unknown> {
  return { ...z.toJSONSchema(type, { unrepresentable: "any" }) };
}

test.each([
  [z.string().nullable(), "string | null"],
  [z.enum(["a", "b"]).nullable(), '"a" | "b" | null'],
  [z.literal(true), "true"],
  [z.iso.datetime().nullable(), "date-time | null"],
  [z.array(z.string().nullable()), "(string | null)[]"],
  [z.record(z.string(), z.number()), "{ [key]: number }"],
  [z.unknown(), "any"],
  [z.array(z.unknown()), "any[]"],
])("toTypeText writes a type in TypeScript's notation (%#)", (type, text) => {
  expect(toTypeText(toSchema(type))).toBe(text);
});

test("toTypeText writes an object's members on lines of their own, with what they mean", () => {
  const inner = z.object({ code: z.string().describe("What happened") });
  const type = z.object({ id: z.string(), error: inner.nullable(), n: z.int().optional() });
  expect(toTypeText(toSchema(type))).toBe(
    [
      "{",
      "  id: string;",
      "  error: {",
      "    code: string; // What happened",
      "  } | null;",
      "  n?: integer;",
      "}",
    ].join("\n"),
  );
});

test("toTypeText names what a reference leads to", () => {
  expect(toTypeText({ $ref: "#/components/schemas/Record" })).toBe("Record");
});

test.each([
  [z.int().min(1).max(100).default(25), "integer from 1 to 100, default 25"],
  [z.int().min(0), "integer from 0"],
  [z.string().max(200), "string, at most 200 characters"],
  [z.record(z.string(), z.string().max(9)), "string, at most 9 characters"],
  [z.enum(["true", "false"]), '"true" | "false"'],
])("toRuleText says what a parameter must be (%#)", (type, text) => {
  expect(toRuleText(toSchema(type))).toBe(text);
});
