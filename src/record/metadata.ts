// A response's metadata as the caller wrote it.
import { METADATA_KEY } from "./schema.ts";

/** The pairs of a response's or a request's metadata, without the recorder's own. */
export function callerMetadata(metadata: unknown): Record<string, string> {
  if (typeof metadata !== "object" || metadata === null) return {};
  const pairs = Object.entries(metadata).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string" && pair[0] !== METADATA_KEY,
  );
  return Object.fromEntries(pairs);
}
