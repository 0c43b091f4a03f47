// The calls in a response's output, found without parsing what they printed: that can have megabytes.
import * as z from "zod";
import { membersOf, textIn, valueOf } from "../lib/json-scan.ts";

const LIST = 0x5b;
const TEXT = 0x22;
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d]);

const Head = z.object({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  code: z.string().nullable().catch(null),
});

/** A code interpreter call. Its outputs are a view into the JSON that it was found in; null where that is no list. */
export type Item = { id: string; code: string | null; outputs: Uint8Array | null };

/**
 * The calls among items.
 * @param list A list as JSON; whatever else it is has none.
 */
export function itemsIn(list: Uint8Array | undefined): Item[] {
  return elementsOf(list).flatMap((element) => {
    const members = named(element);
    const type = valueOf(members.get("type"));
    if (type !== "code_interpreter_call") return [];
    const [id, code] = [valueOf(members.get("id")), valueOf(members.get("code"))];
    const head = Head.safeParse({ type, id, code });
    if (!head.success) return [];
    const outputs = members.get("outputs");
    return [{ id: head.data.id, code: head.data.code, outputs: listed(outputs) }];
  });
}

/**
 * The elements of a list, each as JSON.
 * @param list A list as JSON; whatever else it is has none.
 */
export function elementsOf(list: Uint8Array | null | undefined): Uint8Array[] {
  const found = listed(list ?? undefined);
  return found === null ? [] : membersOf(found).map(({ value }) => value);
}

/**
 * An object's members by their names. Of two with the same name the last counts, as it does when JSON is parsed.
 * @param json An object as JSON.
 */
export function named(json: Uint8Array): Map<string, Uint8Array> {
  return new Map(membersOf(json).map(({ name, value }) => [name, value]));
}

/**
 * What a call printed, piece by piece.
 * @param outputs Its outputs as JSON.
 */
export function* printedIn(outputs: Uint8Array | null): Generator<string> {
  for (const output of elementsOf(outputs)) {
    const members = named(output);
    const logs = members.get("logs");
    if (valueOf(members.get("type")) !== "logs" || !isText(logs)) continue;
    yield* textIn(logs);
  }
}

/**
 * Whether JSON is a text.
 * @param json JSON; undefined is none.
 */
export function isText(json: Uint8Array | undefined): json is Uint8Array {
  return json !== undefined && firstOf(json) === TEXT;
}

function listed(json: Uint8Array | undefined): Uint8Array | null {
  return json !== undefined && firstOf(json) === LIST ? json : null;
}

function firstOf(json: Uint8Array): number | undefined {
  return json.find((byte) => !BLANKS.has(byte));
}
