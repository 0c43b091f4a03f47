// A recorded run's response as OpenAI's foreground shows it, except for `background`, which is what the caller sent, and without the recorder's own metadata.
import { hideResult } from "../../api/output-items.ts";
import { asObject, changeMembers, memberMap, type MemberChange } from "../../lib/json-scan.ts";
import { METADATA_KEY } from "../../record/schema.ts";

const encoder = new TextEncoder();

/**
 * Edits a recorded response object.
 * @param response Its JSON. It can have megabytes, so it is not parsed.
 * @param items Its output items, joined with those that only the recorder has.
 * @param include The caller's `include` values.
 * @param changes Other members that are changed.
 * @returns The new JSON in chunks.
 */
export function toForegroundResponse(
  response: Uint8Array,
  items: Uint8Array[],
  include: ReadonlySet<string>,
  changes: ReadonlyMap<string, MemberChange> = new Map(),
): Uint8Array[] {
  const metadata = memberMap(response).get("metadata");
  const own: [string, MemberChange][] =
    metadata === undefined ? [] : [["metadata", toOwnMetadata(metadata)]];
  const output = toArray(items.map((item) => hideResult(item, include)));
  return changeMembers(
    response,
    new Map<string, MemberChange>([...own, ["background", "true"], ["output", output], ...changes]),
  );
}

// The caller's own pairs.
function toOwnMetadata(metadata: Uint8Array): Uint8Array[] {
  if (asObject(metadata) === null) return [metadata];
  return changeMembers(metadata, new Map([[METADATA_KEY, null]]));
}

function toArray(elements: Uint8Array[][]): Uint8Array[] {
  const parts = elements.flatMap((chunks, index) => [
    encoder.encode(index === 0 ? "" : ","),
    ...chunks,
  ]);
  return [encoder.encode("["), ...parts, encoder.encode("]")];
}
