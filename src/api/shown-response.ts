// A recorded response as OpenAI shows it to a caller: with the output that the recorder has, without results that were not asked for, and without the recorder's own metadata.
import { asObject, changeMembers, memberMap, type MemberChange } from "../lib/json-scan.ts";
import { METADATA_KEY } from "../record/schema.ts";
import { hideResult } from "./output-items.ts";

const encoder = new TextEncoder();

/** What a caller sees of a response in place of its own members. */
export type Shown = {
  /** The output items, joined with those that only the recorder has. */
  items: Uint8Array[];
  /** The caller's `include` values. */
  include: ReadonlySet<string>;
  /** Other members that differ. */
  changes?: Record<string, unknown>;
};

/**
 * Edits a response object.
 * @param response Its JSON. It can have megabytes, so it is not parsed.
 * @returns The new JSON in chunks.
 */
export function toShownResponse(
  response: Uint8Array,
  { items, include, changes = {} }: Shown,
): Uint8Array[] {
  const metadata = memberMap(response).get("metadata");
  const edits = new Map<string, MemberChange>([["output", toArray(items, include)]]);
  if (metadata !== undefined) edits.set("metadata", toOwnMetadata(metadata));
  for (const [name, value] of Object.entries(changes)) edits.set(name, JSON.stringify(value));
  return changeMembers(response, edits);
}

// The caller's own pairs.
function toOwnMetadata(metadata: Uint8Array): Uint8Array[] {
  if (asObject(metadata) === null) return [metadata];
  return changeMembers(metadata, new Map([[METADATA_KEY, null]]));
}

function toArray(items: Uint8Array[], include: ReadonlySet<string>): Uint8Array[] {
  const parts = items.flatMap((item, index) => [
    encoder.encode(index === 0 ? "" : ","),
    ...hideResult(item, include),
  ]);
  return [encoder.encode("["), ...parts, encoder.encode("]")];
}
