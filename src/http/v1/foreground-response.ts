// A held run's response as OpenAI shows it in the foreground, but for `background`, which says what the caller asked for.
import * as z from "zod";
import { textOf } from "../../lib/json-stream.ts";
import { itemsIn } from "../../openai/call-items.ts";
import { membersOf, memberOf, replaced, valueOf, type Edit } from "../../lib/json-scan.ts";
import { OUTPUTS } from "../../openai/client.ts";
import type { KnownCall } from "../../record/schema.ts";
import type { ReadOutputs } from "../../api/representation.ts";

/** What is shown only to whoever asks for it: an item's type, its member, and the value of `include`. */
const ASKED_FOR = [
  { type: "code_interpreter_call", member: "outputs", include: OUTPUTS },
  { type: "file_search_call", member: "results", include: "file_search_call.results" },
];

const Id = z.string().catch("");
const NO_OUTPUTS = /^\s*(\[\s*\]|null)\s*$/;

/** What is needed of a record: its calls, and what stands beside its response. */
export type Beside = { calls: KnownCall[]; read: ReadOutputs };

/**
 * A response object, in pieces.
 * @param response Its JSON as it was recorded. It can have megabytes, so it isn't parsed.
 * @param beside Where outputs stand that the response lacks.
 * @param include What the caller asks to have included.
 */
export async function foreground(
  response: Uint8Array,
  beside: Beside,
  include: ReadonlySet<string>,
): Promise<Uint8Array[]> {
  const edits: Edit[] = [];
  for (const { name, value } of membersOf(response)) {
    if (name === "background") edits.push({ value, by: "true" });
    if (name !== "output") continue;
    for (const item of membersOf(value)) edits.push(...(await ofItem(item.value, beside, include)));
  }
  return replaced(response, edits);
}

async function ofItem(
  item: Uint8Array,
  beside: Beside,
  include: ReadonlySet<string>,
): Promise<Edit[]> {
  const type = valueOf(memberOf(item, "type"));
  const shown = ASKED_FOR.find((one) => one.type === type);
  const value = shown === undefined ? undefined : memberOf(item, shown.member);
  if (shown === undefined || value === undefined) return [];
  if (!include.has(shown.include)) return [{ value, by: "null" }];
  if (value.length > 100 || !NO_OUTPUTS.test(textOf([value]))) return [];
  const outputs = await outputsOf(Id.parse(valueOf(memberOf(item, "id"))), beside);
  return outputs === null ? [] : [{ value, by: outputs }];
}

async function outputsOf(id: string, { calls, read }: Beside): Promise<Uint8Array | null> {
  const source = calls.find((call) => call.id === id)?.source ?? null;
  if (source === null) return null;
  const items = itemsIn((await read(source)) ?? undefined);
  return items.find((item) => item.id === id)?.outputs ?? null;
}
