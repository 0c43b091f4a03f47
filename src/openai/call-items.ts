// The calls in a response's output, found without parsing what they printed, which can be megabytes.
import * as z from "zod";
import {
  arrayElements,
  asArray,
  isString,
  memberMap,
  parseValue,
  stringChunks,
} from "../lib/json-scan.ts";

const Head = z.object({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  code: z.string().nullable().catch(null),
});

/** A code interpreter call. Its outputs are a view into the JSON; null when they are no array. */
export type CallItem = { id: string; code: string | null; outputs: Uint8Array | null };

/**
 * The calls among output items.
 * @param items An array as JSON; any other value has none.
 */
export function findCallItems(items: Uint8Array | null | undefined): CallItem[] {
  return arrayElements(items).flatMap((item) => {
    const members = memberMap(item);
    const type = parseValue(members.get("type"));
    if (type !== "code_interpreter_call") return [];
    const [id, code] = [parseValue(members.get("id")), parseValue(members.get("code"))];
    const head = Head.safeParse({ type, id, code });
    if (!head.success) return [];
    return [{ id: head.data.id, code: head.data.code, outputs: asArray(members.get("outputs")) }];
  });
}

/**
 * What a call printed, in chunks.
 * @param outputs The call's outputs as JSON.
 */
export function* logChunks(outputs: Uint8Array | null): Generator<string> {
  for (const output of arrayElements(outputs)) {
    const members = memberMap(output);
    const logs = members.get("logs");
    if (parseValue(members.get("type")) !== "logs" || !isString(logs)) continue;
    yield* stringChunks(logs);
  }
}
