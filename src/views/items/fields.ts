// Fields of output items. Real items lack and add fields: what is missing or of another type becomes null or nothing.
import * as z from "zod";

export const anything = z.unknown().optional();
export const text = z.string().nullable().catch(null);
export const count = z.number().nullable().catch(null);
export const texts = z
  .array(z.unknown())
  .catch([])
  .transform((values) => values.filter((value) => typeof value === "string"));

/** A list of objects; those of another shape are left out. */
export function listOf<T extends z.ZodType>(schema: T) {
  return z
    .array(z.unknown())
    .catch([])
    .transform((values) => values.flatMap((value) => schema.safeParse(value).data ?? []));
}

/**
 * Parses an item.
 * @param schema Its fields, none of which fails.
 */
export function parseFields<T extends z.ZodObject>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : schema.parse({});
}

/** A text that may be JSON, for reading. */
export function formatJson(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
