/** Generates a value that fits a JSON schema, as far as OpenAI's structured outputs use one. */
import * as z from "zod";
import { generateMatch } from "./pattern-match.ts";

/** Below this depth only what a schema requires is generated, so that recursive schemas end. */
const MAX_FULL_DEPTH = 4;
/** The depth at which generation gives up. */
const MAX_DEPTH = 30;

const anySchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);
const Schema = z.looseObject({
  $ref: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).min(1).optional(),
  type: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  anyOf: z.array(anySchema).min(1).optional(),
  oneOf: z.array(anySchema).min(1).optional(),
  allOf: z.array(anySchema).optional(),
  properties: z.record(z.string(), anySchema).optional(),
  required: z.array(z.string()).optional(),
  items: anySchema.optional(),
  prefixItems: z.array(anySchema).optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().positive().optional(),
});
type Schema = z.infer<typeof Schema>;

interface Context {
  root: unknown;
  depth: number;
}

/** Generates a value; an unknown or contradictory schema gets a value that may not fit. */
export function generateValue(schema: unknown): unknown {
  return generate(schema, { root: schema, depth: 0 });
}

function generate(value: unknown, { root, depth }: Context): unknown {
  const schema = Schema.safeParse(value).data;
  if (!schema || depth > MAX_DEPTH) return null;
  const deeper = { root, depth: depth + 1 };
  if (schema.$ref !== undefined) return generate(resolveReference(root, schema.$ref), deeper);
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return generate(mergeSchemas(schema, chooseOption(options, depth)), deeper);
  if (schema.allOf) return generate(mergeAll(schema, root), deeper);
  return generateOfType(schema, deeper);
}

function generateOfType(schema: Schema, context: Context): unknown {
  switch (getType(schema)) {
    case "object":
      return generateObject(schema, context);
    case "array":
      return generateArray(schema, context);
    case "integer":
      return generateNumber(schema, 1);
    case "number":
      return generateNumber(schema, schema.multipleOf ?? 0);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return generateString(schema);
  }
}

function getType({ type, properties, items, prefixItems }: Schema): string {
  if (typeof type === "string") return type;
  if (type) return type.find((name) => name !== "null") ?? "null";
  if (properties) return "object";
  return items !== undefined || prefixItems ? "array" : "string";
}

function generateObject({ properties = {}, required = [] }: Schema, context: Context): unknown {
  const isFull = context.depth <= MAX_FULL_DEPTH;
  const names = Object.keys(properties).filter((name) => isFull || required.includes(name));
  return Object.fromEntries(names.map((name) => [name, generate(properties[name], context)]));
}

function generateArray(schema: Schema, context: Context): unknown[] {
  const { prefixItems = [], items = {}, minItems = 0, maxItems = Infinity } = schema;
  const wanted = context.depth <= MAX_FULL_DEPTH ? Math.max(1, minItems) : minItems;
  const length = Math.min(maxItems, Math.max(prefixItems.length, wanted));
  return Array.from({ length }, (_, index) => generate(prefixItems[index] ?? items, context));
}

/** The smallest allowed number that is not negative, if there is one. */
function generateNumber(schema: Schema, unit: number): number {
  const step = Math.max(schema.multipleOf ?? 0, unit);
  const { exclusiveMinimum, exclusiveMaximum } = schema;
  const margin = step || 0.5;
  const lowest = schema.minimum ?? (exclusiveMinimum ?? -Infinity) + margin;
  const highest = schema.maximum ?? (exclusiveMaximum ?? Infinity) - margin;
  const wanted = Math.min(Math.max(lowest, Math.min(1, highest)), highest);
  if (!step) return wanted;
  const rounded = Math.ceil(wanted / step) * step;
  return rounded > highest ? Math.floor(highest / step) * step : rounded;
}

const FORMATS: Record<string, string> = {
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  duration: "PT1H",
  email: "emulator@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  url: "https://example.com/",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
};

function generateString({ format, pattern, minLength = 0, maxLength = Infinity }: Schema): string {
  if (pattern !== undefined) return generateMatch(pattern);
  const formatted = FORMATS[format ?? ""];
  if (formatted !== undefined) return formatted;
  return "emulator".padEnd(minLength, "-").slice(0, maxLength);
}

/** The first option that is not null; deep in a recursive schema, null or the shortest option. */
function chooseOption(options: unknown[], depth: number): unknown {
  if (depth <= MAX_FULL_DEPTH) return options.find((option) => !isNull(option)) ?? options[0];
  const bySize = options.toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length);
  return options.find(isNull) ?? bySize.find(hasNoReference) ?? bySize[0];
}

function isNull(schema: unknown): boolean {
  return Schema.safeParse(schema).data?.type === "null";
}

function hasNoReference(schema: unknown): boolean {
  return !JSON.stringify(schema).includes('"$ref"');
}

/** The option with the members that stand outside of `anyOf` or `oneOf`. */
function mergeSchemas(outside: Schema, option: unknown): unknown {
  const schema = Schema.safeParse(option).data;
  if (!schema || schema.$ref !== undefined) return option;
  return {
    ...outside,
    anyOf: undefined,
    oneOf: undefined,
    ...schema,
    properties: mergeRecords(outside.properties, schema.properties),
    required: [...(outside.required ?? []), ...(schema.required ?? [])],
  };
}

function mergeAll({ allOf = [], ...outside }: Schema, root: unknown): unknown {
  return allOf.reduce<unknown>((merged, part) => {
    const { $ref } = Schema.safeParse(part).data ?? {};
    const resolved = $ref === undefined ? part : resolveReference(root, $ref);
    return mergeSchemas(Schema.parse(merged), resolved);
  }, outside);
}

function mergeRecords(a: object | undefined, b: object | undefined): object | undefined {
  return a || b ? { ...a, ...b } : undefined;
}

/** Follows a reference within the schema, such as "#/$defs/step". */
function resolveReference(root: unknown, reference: string): unknown {
  const keys = reference.split("/").slice(1);
  return keys.reduce<unknown>((value, key) => {
    const record = z.record(z.string(), z.unknown()).safeParse(value).data;
    return record?.[decodeURIComponent(key.replaceAll("~1", "/").replaceAll("~0", "~"))];
  }, root);
}
