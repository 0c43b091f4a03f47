// A recorded response as OpenAI shows it to a caller: with the output that the recorder has, and without results that were not asked for.
import { applyEdits, scanMembers, type Edit } from "../../lib/json-scan.ts";
import { hideResult } from "./output-items.ts";
import { metadataEdits } from "./own-metadata.ts";

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
  const edits = scanMembers(response).flatMap(({ name, value }): Edit[] => {
    if (name === "output") return [{ value, replacement: toArray(items, include) }];
    if (name === "metadata") return metadataEdits(value);
    if (!Object.hasOwn(changes, name)) return [];
    return [{ value, replacement: [encoder.encode(JSON.stringify(changes[name]))] }];
  });
  return applyEdits(response, edits);
}

function toArray(items: Uint8Array[], include: ReadonlySet<string>): Uint8Array[] {
  const parts = items.flatMap((item, index) => [
    encoder.encode(index === 0 ? "" : ","),
    ...hideResult(item, include),
  ]);
  return [encoder.encode("["), ...parts, encoder.encode("]")];
}
