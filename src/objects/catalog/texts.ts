// The texts of a run that the list shows and searches, each of bounded size.
import {
  arrayElements,
  findMember,
  isString,
  memberMap,
  parseValue,
  stringChunks,
} from "../../lib/json-scan.ts";
import { findCallItems, resultText } from "../../openai/call-items.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";

/** Bytes of UTF-8 that can be searched of a run. */
export const MAX_SEARCH_TEXT_BYTES = 4 * 1024;

const encoder = new TextEncoder();

/**
 * The text by which a search finds a run: what was asked, what its calls brought, and what the model said.
 * When they are too long together, none of the three crowds out another.
 * @param itemLists Output items, each list an array as JSON: those of the response, and those of other channels.
 */
export function toSearchText(
  run: Pick<StoredRecord, "request" | "input">,
  itemLists: (Uint8Array | null | undefined)[],
): string {
  const asked = askedTexts(run).toReversed().join("\n");
  const printed = itemLists.flatMap((items) =>
    findCallItems(items).map(({ kind, result }) => takeText(resultText(kind, result))),
  );
  const said = itemLists.map((items) => takeText(saidChunks(items)));
  const parts = [asked, joinTexts(printed), joinTexts(said)].filter((part) => part !== "");
  const separatorBytes = Math.max(0, parts.length - 1);
  return joinTexts(shareBytes(parts, MAX_SEARCH_TEXT_BYTES - separatorBytes));
}

/**
 * The searchable text of a run.
 * @param body The response's body; null when there is none.
 * @param outputs The items of other channels.
 */
export function toRunText(
  record: StoredRecord,
  body: Uint8Array | null,
  outputs: (Uint8Array | null)[],
): string {
  return toSearchText(record, [body === null ? null : findMember(body, "output"), ...outputs]);
}

/** The channels whose items a run's calls have their results from. */
export function listSources({ calls }: StoredRecord): Channel[] {
  return [...new Set(calls.map(({ source }) => source))].filter((source) => source !== null);
}

/** The texts of a run's input, in their order. */
export function askedTexts({ request, input }: Pick<StoredRecord, "request" | "input">): string[] {
  return textsOf(request?.["input"] ?? input);
}

function textsOf(input: unknown): string[] {
  if (typeof input === "string") return input === "" ? [] : [input];
  if (Array.isArray(input)) return input.flatMap(textsOf);
  if (typeof input !== "object" || input === null) return [];
  if ("text" in input) return textsOf(input.text);
  return "content" in input ? textsOf(input.content) : [];
}

function* saidChunks(items: Uint8Array | null | undefined): Generator<string> {
  for (const item of arrayElements(items)) {
    const members = memberMap(item);
    if (parseValue(members.get("type")) !== "message") continue;
    for (const part of arrayElements(members.get("content"))) {
      const text = memberMap(part).get("text");
      if (isString(text)) yield* stringChunks(text);
    }
  }
}

// Megabytes are not joined only to be cut.
function takeText(chunks: Iterable<string>): string {
  let text = "";
  for (const chunk of chunks) {
    text += chunk;
    if (text.length >= MAX_SEARCH_TEXT_BYTES) break;
  }
  return text.slice(0, MAX_SEARCH_TEXT_BYTES);
}

function joinTexts(texts: string[]): string {
  return texts.filter((text) => text !== "").join("\n");
}

/** Truncates texts so that together they have at most so many bytes of UTF-8; a short one leaves its share to the others. */
function shareBytes(texts: string[], maxBytes: number): string[] {
  let left = maxBytes;
  let sharers = texts.length;
  const bySize = [...texts.keys()].toSorted(
    (a, b) => (texts[a] ?? "").length - (texts[b] ?? "").length,
  );
  const cut = [...texts];
  for (const index of bySize) {
    const text = truncateUtf8(texts[index] ?? "", Math.floor(left / sharers));
    cut[index] = text;
    left -= encoder.encode(text).byteLength;
    sharers -= 1;
  }
  return cut;
}

function truncateUtf8(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}

/** The first code points of a text. Only as much of it is looked at as can remain. */
export function truncateCodePoints(text: string, maxLength: number): string {
  return Array.from(text.slice(0, 2 * maxLength))
    .slice(0, maxLength)
    .join("");
}
