// A held run's response as OpenAI's foreground shows it, except for `background`, which is what the caller sent.
import { toItemArray } from "../../api/output-items.ts";
import { applyEdits, scanMembers, type Edit } from "../../lib/json-scan.ts";

const encoder = new TextEncoder();

/**
 * Edits a recorded response object.
 * @param response Its JSON. It can have megabytes, so it is not parsed.
 * @param items Its output items, joined with those that only the recorder has.
 * @param include The caller's `include` values.
 * @returns The new JSON in chunks.
 */
export function toForegroundResponse(
  response: Uint8Array,
  items: Uint8Array[],
  include: ReadonlySet<string>,
): Uint8Array[] {
  const edits = scanMembers(response).flatMap(({ name, value }): Edit[] => {
    if (name === "background") return [{ value, replacement: [encoder.encode("true")] }];
    return name === "output" ? [{ value, replacement: toItemArray(items, include) }] : [];
  });
  return applyEdits(response, edits);
}
