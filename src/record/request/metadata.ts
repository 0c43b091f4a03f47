// A response's metadata. Pure.
import { METADATA_KEY } from "../schema.ts";

/** OpenAI allows 16 pairs of 64 and 512 characters; a gateway may allow more. */
const MAX_PAIRS = 64;
const MAX_TEXT_LENGTH = 2_000;

/** Metadata as its caller set it: without the recorder's own pair, and otherwise unchanged. */
export function withoutOwnPair(metadata: unknown): unknown {
  if (typeof metadata !== "object" || metadata === null) return metadata;
  if (!Object.hasOwn(metadata, METADATA_KEY)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== METADATA_KEY));
}

/**
 * The pairs of a response's metadata that its caller set, without the trigger's options.
 * @param value The `metadata` of a request or of a response object.
 */
export function toCustomMetadata(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const pairs = Object.entries(value).flatMap(([name, text]): [string, string][] => {
    if (typeof text !== "string" || name === METADATA_KEY) return [];
    return [[name.slice(0, MAX_TEXT_LENGTH), text.slice(0, MAX_TEXT_LENGTH)]];
  });
  return Object.fromEntries(pairs.slice(0, MAX_PAIRS));
}
