import { describe, expect, test } from "vitest";
import * as z from "zod";
import { generateValue } from "../../emulator/lib/json-schema-value.ts";
import { generateMatch } from "../../emulator/lib/pattern-match.ts";

type Properties = Record<string, z.core.JSONSchema.JSONSchema>;

const object = (properties: Properties, more: z.core.JSONSchema.JSONSchema = {}) => ({
  type: "object" as const,
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});

const SCHEMAS: [name: string, schema: z.core.JSONSchema.JSONSchema][] = [
  ["an object", object({ a: { type: "string" }, b: { type: "integer" }, c: { type: "boolean" } })],
  ["optional properties", { type: "object", properties: { a: { type: "number" } } }],
  ["an empty object", { type: "object", properties: {}, additionalProperties: false }],
  ["null", { type: "null" }],
  ["a nullable type", { type: ["string", "null"] }],
  ["enum", { enum: ["red", "green"] }],
  ["const", { const: 7 }],
  ["anyOf", { anyOf: [{ type: "null" }, object({ n: { type: "number" } })] }],
  ["oneOf", { oneOf: [{ type: "integer", minimum: 5 }, { type: "string" }] }],
  [
    "allOf",
    {
      allOf: [
        object({ a: { type: "string" } }, { additionalProperties: true }),
        { type: "object", properties: { b: { type: "integer" } }, required: ["b"] },
      ],
    },
  ],
  ["minItems", { type: "array", items: { type: "string" }, minItems: 3 }],
  ["maxItems 0", { type: "array", items: { type: "string" }, maxItems: 0 }],
  [
    "a tuple",
    {
      type: "array",
      prefixItems: [{ type: "string" }, { type: "integer" }],
      items: false,
      minItems: 2,
      maxItems: 2,
    },
  ],
  ["minimum", { type: "integer", minimum: 18, maximum: 20 }],
  ["negative maximum", { type: "number", maximum: -3 }],
  ["exclusive bounds", { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 2 }],
  ["narrow exclusive bounds", { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.1 }],
  ["a narrow exclusive maximum", { type: "number", minimum: 0, exclusiveMaximum: 0.3 }],
  ["both minimums", { type: "integer", minimum: 3, exclusiveMinimum: 5 }],
  ["multipleOf", { type: "integer", multipleOf: 7, minimum: 15 }],
  ["minLength", { type: "string", minLength: 20 }],
  ["maxLength", { type: "string", maxLength: 3 }],
  ["pattern", { type: "string", pattern: "^[A-Z]{2}-\\d{4}$" }],
  ...["date-time", "date", "email", "uuid", "ipv4", "uri"].map(
    (format): [string, z.core.JSONSchema.JSONSchema] => [
      `format ${format}`,
      { type: "string", format },
    ],
  ),
  [
    "a recursive list",
    {
      ...object({ head: { $ref: "#/$defs/node" } }),
      $defs: {
        node: object({
          value: { type: "string" },
          next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
        }),
      },
    },
  ],
  [
    "a recursive union without null",
    {
      $ref: "#/$defs/expression",
      $defs: {
        expression: { anyOf: [{ $ref: "#/$defs/sum" }, { $ref: "#/$defs/literal" }] },
        sum: object({
          left: { $ref: "#/$defs/expression" },
          right: { $ref: "#/$defs/expression" },
        }),
        literal: object({ value: { type: "integer" } }),
      },
    },
  ],
  [
    "a recursive tree",
    object({ name: { type: "string" }, children: { type: "array", items: { $ref: "#" } } }),
  ],
];

describe("generateValue", () => {
  test.each(SCHEMAS)("gives a value that fits %s", (_, schema) => {
    const value = generateValue(schema);
    expect(z.fromJSONSchema(schema).safeParse(value)).toMatchObject({ success: true });
  });

  test("gives required members that have no schema", () => {
    expect(generateValue({ type: "object", required: ["a"] })).toHaveProperty("a");
  });

  test("gives every property of an object, required or not", () => {
    const schema = { type: "object", properties: { a: { type: "string" }, b: { enum: [1] } } };
    expect(generateValue(schema)).toEqual({ a: "emulator", b: 1 });
  });
});

test.each([
  "^\\d{3}-\\d{4}$",
  "^(foo|bar)+$",
  "^[^a-z]{2,}$",
  "^#[0-9a-fA-F]{6}$",
  "^\\w+@\\w+\\.com$",
  "^(?:https?)://[a-z.]+/?$",
  "^v\\d+(\\.\\d+){2}$",
])("generateMatch gives a text that %s matches", (pattern) => {
  expect(generateMatch(pattern)).toMatch(new RegExp(pattern, "u"));
});
