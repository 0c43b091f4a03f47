// JSON Schema as text: types in TypeScript's notation, rules in words.
import * as z from "zod";

type Schema = Record<string, unknown>;

const INDENT = "  ";
const SchemaObject = z.record(z.string(), z.unknown());
const SchemaList = z.array(SchemaObject);
const Names = z.array(z.string()).catch([]);
const WithDescription = z.object({ description: z.string() });

/** The type that a schema describes. What it says of a member stands after it, as a comment. */
export function toTypeText(schema: Schema): string {
  return typeText(schema, "");
}

/** What a parameter must be: its type, its limits and its default. The members of an object are parameters of their own. */
export function toRuleText(schema: Schema): string {
  const member = SchemaObject.safeParse(schema["additionalProperties"]).data;
  if (member !== undefined) return toRuleText(member);
  const { minimum, maximum, maxLength, default: byDefault } = schema;
  const limits = [
    toTypeText(schema),
    // zod gives every integer the limits of JavaScript's.
    ...(isLimit(minimum) ? [`from ${minimum}`] : []),
    ...(isLimit(maximum) ? [`to ${maximum}`] : []),
  ];
  return [
    limits.join(" "),
    ...(typeof maxLength === "number" ? [`at most ${maxLength} characters`] : []),
    ...(byDefault === undefined ? [] : [`default ${JSON.stringify(byDefault)}`]),
  ].join(", ");
}

function isLimit(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) !== Number.MAX_SAFE_INTEGER;
}

function typeText(schema: Schema, indent: string): string {
  const { $ref, const: constant, enum: values, anyOf, oneOf, type, format } = schema;
  if (typeof $ref === "string") return $ref.split("/").at(-1) ?? "any";
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" | ");
  const options = SchemaList.safeParse(anyOf ?? oneOf).data;
  if (options !== undefined) {
    return [...new Set(options.map((option) => typeText(option, indent)))].join(" | ");
  }
  if (Array.isArray(type)) {
    return type.map((one) => typeText({ ...schema, type: one }, indent)).join(" | ");
  }
  if (type === "array") return arrayText(schema, indent);
  if (type === "object") return objectText(schema, indent);
  if (type === "string" && typeof format === "string") return format;
  return typeof type === "string" ? type : "any";
}

function arrayText({ items }: Schema, indent: string): string {
  const item = typeText(SchemaObject.safeParse(items).data ?? {}, indent);
  return item.includes(" | ") && !item.startsWith("{") ? `(${item})[]` : `${item}[]`;
}

function objectText(schema: Schema, indent: string): string {
  const members = Object.entries(SchemaObject.safeParse(schema["properties"]).data ?? {});
  const required = Names.parse(schema["required"]);
  const inner = indent + INDENT;
  const lines = members.map(([name, member]) => {
    const value = SchemaObject.parse(member);
    const mark = required.includes(name) ? "" : "?";
    return `${inner}${name}${mark}: ${typeText(value, inner)};${commentText(value)}`;
  });
  if (lines.length > 0) return `{\n${lines.join("\n")}\n${indent}}`;
  const others = SchemaObject.safeParse(schema["additionalProperties"]).data;
  return others === undefined ? "object" : `{ [key]: ${typeText(others, inner)} }`;
}

function commentText(schema: Schema): string {
  const described = WithDescription.safeParse(schema).data;
  return described === undefined ? "" : ` // ${described.description}`;
}
