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
  /** Of each schema within the root, as JSON. */
  leastDepths: Depths;
}

/** Generates a value; an unknown or contradictory schema gets a value that may not fit. */
export function generateValue(schema: unknown): unknown {
  return generate(schema, { root: schema, depth: 0, leastDepths: measureDepths(schema) });
}

function generate(value: unknown, context: Context): unknown {
  const { root, depth } = context;
  const schema = Schema.safeParse(value).data;
  if (!schema || depth > MAX_DEPTH) return null;
  const deeper = { ...context, depth: depth + 1 };
  if (schema.$ref !== undefined) return generate(resolveReference(root, schema.$ref), deeper);
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return generate(mergeSchemas(schema, chooseOption(options, context)), deeper);
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
  const known = Object.keys(properties).filter((name) => isFull || required.includes(name));
  const names = new Set([...known, ...required]);
  return Object.fromEntries([...names].map((name) => [name, generate(properties[name], context)]));
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
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const width = Math.min(maximum, exclusiveMaximum) - Math.max(minimum, exclusiveMinimum);
  const margin = step || Math.min(0.5, width / 2);
  const lowest = Math.max(minimum, exclusiveMinimum + margin);
  const highest = Math.min(maximum, exclusiveMaximum - margin);
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

/** The first option that is not null; deep in a recursive schema the option that ends soonest. */
function chooseOption(options: unknown[], { depth, leastDepths }: Context): unknown {
  if (depth <= MAX_FULL_DEPTH) return options.find((option) => !isNull(option)) ?? options[0];
  const getDepth = (option: unknown) => leastDepths.get(JSON.stringify(option)) ?? Infinity;
  return options.toSorted((a, b) => getDepth(a) - getDepth(b))[0];
}

function isNull(schema: unknown): boolean {
  return Schema.safeParse(schema).data?.type === "null";
}

/** By schema as JSON: the least levels of a value that fits it; Infinity while no end is known. */
type Depths = Map<string, number>;

/** Measures all schemas within a root, again until nothing changes, because recursive ones are known only after others. */
function measureDepths(root: unknown): Depths {
  let known: Depths = new Map();
  for (;;) {
    const measured: Depths = new Map();
    measureDepth(root, { root, known, measured });
    const isStable = [...measured].every(([key, depth]) => known.get(key) === depth);
    if (isStable) return measured;
    known = measured;
  }
}

interface Measurement {
  root: unknown;
  /** Of the round before. */
  known: Depths;
  measured: Depths;
}

function measureDepth(value: unknown, measurement: Measurement): number {
  const { root, known, measured } = measurement;
  const key = JSON.stringify(value) ?? "";
  const before = measured.get(key);
  if (before !== undefined) return before;
  measured.set(key, known.get(key) ?? Infinity);
  const measure = (inner: unknown) => measureDepth(inner, measurement);
  const depth = addDepths(Schema.safeParse(value).data ?? {}, root, measure);
  measured.set(key, depth);
  return depth;
}

function addDepths(schema: Schema, root: unknown, measure: (schema: unknown) => number): number {
  if (schema.$ref !== undefined) return measure(resolveReference(root, schema.$ref));
  const { properties = {}, required = [], items, prefixItems = [], minItems = 0 } = schema;
  // All are measured, though only the required ones count: generation looks each option up.
  const members = Object.entries(properties).map(([name, member]): [string, number] => [
    name,
    measure(member),
  ]);
  const memberDepths = members.map(([name, depth]) => (required.includes(name) ? depth : 0));
  const itemDepth = measure(items ?? {});
  const optionDepths = (schema.anyOf ?? schema.oneOf ?? []).map(measure);
  return Math.max(
    1 + Math.max(0, ...memberDepths, ...prefixItems.map(measure), minItems > 0 ? itemDepth : 0),
    optionDepths.length > 0 ? Math.min(...optionDepths) : 0,
    ...(schema.allOf ?? []).map(measure),
  );
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
