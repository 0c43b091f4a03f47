// A response's metadata. Pure.
import { METADATA_KEY } from "./schema.ts";

/**
 * The pairs of a response's metadata that its caller set, without the trigger's options.
 * @param value The `metadata` of a request or of a response object.
 */
export function toCustomMetadata(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const pairs = Object.entries(value).flatMap(([name, text]): [string, string][] =>
    typeof text === "string" && name !== METADATA_KEY ? [[name, text]] : [],
  );
  return Object.fromEntries(pairs);
}
