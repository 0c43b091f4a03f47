// A held run's response as OpenAI's foreground shows it, except for `background`, which is what the caller sent.
import * as z from "zod";
import type { ReadOutputs } from "../../api/representation.ts";
import { decodeChunks } from "../../lib/byte-stream.ts";
import { applyEdits, findMember, parseValue, scanMembers, type Edit } from "../../lib/json-scan.ts";
import { findCallItems } from "../../openai/call-items.ts";
import { INCLUDE_OUTPUTS } from "../../openai/client.ts";
import type { StoredCall } from "../../record/schema.ts";

/** Fields that are returned only if `include` asks for them. */
const INCLUDED_FIELDS = [
  { type: "code_interpreter_call", member: "outputs", include: INCLUDE_OUTPUTS },
  { type: "file_search_call", member: "results", include: "file_search_call.results" },
];

const Id = z.string().catch("");
const NO_OUTPUTS = /^\s*(\[\s*\]|null)\s*$/;
/** A longer value can't be empty. */
const MAX_EMPTY_BYTES = 100;

/** A record's calls, and the outputs that are stored apart from its response. */
export type CallSources = { calls: StoredCall[]; readOutputs: ReadOutputs };

/**
 * Edits a recorded response object.
 * @param response Its JSON. It can have megabytes, so it is not parsed.
 * @param include The caller's `include` values.
 * @returns The new JSON in chunks.
 */
export async function toForegroundResponse(
  response: Uint8Array,
  sources: CallSources,
  include: ReadonlySet<string>,
): Promise<Uint8Array[]> {
  const edits: Edit[] = [];
  for (const { name, value } of scanMembers(response)) {
    if (name === "background") edits.push({ value, replacement: "true" });
    if (name !== "output") continue;
    for (const item of scanMembers(value)) {
      edits.push(...(await itemEdits(item.value, sources, include)));
    }
  }
  return applyEdits(response, edits);
}

async function itemEdits(
  item: Uint8Array,
  sources: CallSources,
  include: ReadonlySet<string>,
): Promise<Edit[]> {
  const type = parseValue(findMember(item, "type"));
  const field = INCLUDED_FIELDS.find((one) => one.type === type);
  const value = field === undefined ? undefined : findMember(item, field.member);
  if (field === undefined || value === undefined) return [];
  if (!include.has(field.include)) return [{ value, replacement: "null" }];
  if (value.length > MAX_EMPTY_BYTES || !NO_OUTPUTS.test(decodeChunks([value]))) return [];
  const outputs = await readCallOutputs(Id.parse(parseValue(findMember(item, "id"))), sources);
  return outputs === null ? [] : [{ value, replacement: outputs }];
}

async function readCallOutputs(
  id: string,
  { calls, readOutputs }: CallSources,
): Promise<Uint8Array | null> {
  const source = calls.find((call) => call.id === id)?.source ?? null;
  if (source === null) return null;
  const items = findCallItems(await readOutputs(source));
  return items.find((item) => item.id === id)?.outputs ?? null;
}
