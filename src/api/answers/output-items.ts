// A response's output items as bytes: joined with those that only the recorder has, and without results that the caller did not ask for.
import { changeMembers, findMember, memberMap, parseValue } from "../../lib/json-scan.ts";
import { decodeChunks } from "../../lib/byte-stream.ts";
import { itemHasResult, keyOfItem } from "../../openai/call-items.ts";
import { itemKind } from "../../record/calls/item-kinds.ts";

const encoder = new TextEncoder();

/**
 * Joins output items with stored ones. An item without its result is replaced by the stored one that has it; an item that is missing comes after the stored one before it.
 * @param output The response's items, each as JSON.
 * @param stored Items that came by another channel, in their order.
 */
export function joinItems(output: Uint8Array[], stored: Uint8Array[]): Uint8Array[] {
  const items = output.map((json) => ({ key: keyOfItem(json), json }));
  let before = -1;
  for (const json of stored) {
    const key = keyOfItem(json);
    const at = key === null ? -1 : items.findIndex((item) => item.key === key);
    const present = items[at];
    before = present === undefined ? before + 1 : at;
    if (present === undefined) items.splice(before, 0, { key, json });
    else if (itemHasResult(json) && !itemHasResult(present.json)) items[at] = { key, json };
  }
  return items.map(({ json }) => json);
}

/**
 * Items as OpenAI shows them to a caller who asked for these `include` values.
 * @returns The JSON of an array, in chunks.
 */
export function toItemArray(items: Uint8Array[], include: ReadonlySet<string>): Uint8Array[] {
  const parts = items.flatMap((item, index) => [
    encoder.encode(index === 0 ? "" : ","),
    ...hideResult(item, include),
  ]);
  return [encoder.encode("["), ...parts, encoder.encode("]")];
}

/**
 * An item as OpenAI shows it to a caller who asked for these `include` values.
 * @returns Its JSON in chunks.
 */
export function hideResult(item: Uint8Array, include: ReadonlySet<string>): Uint8Array[] {
  const kind = itemKind(parseValue(findMember(item, "type")));
  if (kind === undefined || kind.include === null || include.has(kind.include)) return [item];
  const [outer = "", inner] = kind.result[0] ?? [];
  const value = memberMap(item).get(outer);
  if (value === undefined) return [item];
  // OpenAI leaves out a nested member that was not asked for, and shows an outer one as null.
  const hidden =
    inner === undefined ? "null" : decodeChunks(changeMembers(value, new Map([[inner, null]])));
  return changeMembers(item, new Map([[outer, hidden]]));
}
