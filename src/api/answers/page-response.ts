// What a page shows of a response object: its items, usage and reason, with long texts cut. Bodies can have 24 MiB, of which a page needs little.
import * as z from "zod";
import { cutText, type CutText } from "./page-text.ts";
import { asArray, isString, memberMap, parseValue, scanMembers } from "../../lib/json-scan.ts";

/** Items of a longer response are left out in its middle: the last one is most often its answer. */
const MAX_FIRST_ITEMS = 80;
const MAX_LAST_ITEMS = 40;
/** A value of at most this size is parsed as it is. */
const MAX_WHOLE_BYTES = 64 * 1024;
/** Of a larger value: the elements of a list, and the levels that are kept. */
const MAX_ELEMENTS = 200;
const MAX_LEVELS = 12;
/** What all items of a page may take together. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** An output item. */
export type PageItem = {
  type: string;
  id: string | null;
  /** The item, with the beginnings of long texts. */
  value: unknown;
  /** What is known of those texts, by their beginnings. */
  cuts: ReadonlyMap<string, CutText>;
  bytes: number;
  /** Whether the value lacks something else. */
  isPart: boolean;
};

const Usage = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  total_tokens: z.number(),
  input_tokens_details: z.looseObject({ cached_tokens: z.number() }).nullish().catch(null),
  output_tokens_details: z.looseObject({ reasoning_tokens: z.number() }).nullish().catch(null),
});
export type Usage = z.infer<typeof Usage>;

const Details = z.looseObject({ reason: z.string() });
const Head = z.looseObject({ type: z.string(), id: z.string().nullable().catch(null) });

/** What a page shows of a response. */
export type PageResponse = {
  items: PageItem[];
  /** Items that are left out after the first ones, and the ids of all. */
  omitted: { after: number; count: number };
  ids: ReadonlySet<string>;
  usage: Usage | null;
  /** Why the response is incomplete. */
  incompleteReason: string | null;
};

/**
 * Reads what a page shows of a response.
 * @param response The response object's JSON; null when none is stored.
 * @param items Its output items, joined with those that only the recorder has.
 */
export function toPageResponse(response: Uint8Array | null, items: Uint8Array[]): PageResponse {
  const members = response === null ? new Map<string, Uint8Array>() : memberMap(response);
  const count = Math.max(0, items.length - MAX_FIRST_ITEMS - MAX_LAST_ITEMS);
  const shown = items.filter(
    (_, index) => index < MAX_FIRST_ITEMS || index >= MAX_FIRST_ITEMS + count,
  );
  const reader = new PageReader();
  return {
    items: shown.map((item) => reader.readItem(item)),
    omitted: { after: MAX_FIRST_ITEMS, count },
    ids: new Set(items.flatMap((item) => toHead(item).id ?? [])),
    usage: Usage.safeParse(parseValue(members.get("usage"))).data ?? null,
    incompleteReason:
      Details.safeParse(parseValue(members.get("incomplete_details"))).data?.reason ?? null,
  };
}

function toHead(item: Uint8Array): { type: string; id: string | null } {
  const members = memberMap(item);
  const [type, id] = ["type", "id"].map((name) => parseShort(members.get(name)));
  const { data } = Head.safeParse({ type, id });
  return { type: data?.type ?? "unknown", id: data?.id ?? null };
}

function parseShort(json: Uint8Array | undefined): unknown {
  return json === undefined || json.byteLength > MAX_WHOLE_BYTES ? null : parseValue(json);
}

/** Reads items until a page has enough. */
class PageReader {
  #room = MAX_PAGE_BYTES;
  #isPart = false;
  #cuts = new Map<string, CutText>();

  readItem(item: Uint8Array): PageItem {
    this.#isPart = false;
    this.#cuts = new Map();
    const value = this.#read(item, MAX_LEVELS);
    const { length: bytes } = item;
    return { ...toHead(item), value, cuts: this.#cuts, bytes, isPart: this.#isPart };
  }

  #read(json: Uint8Array, levels: number): unknown {
    if (this.#room <= 0 || levels === 0) return this.#leaveOut();
    if (json.byteLength <= MAX_WHOLE_BYTES) {
      this.#room -= json.byteLength;
      return parseValue(json);
    }
    if (isString(json)) return this.#readText(json);
    const members = scanMembers(json, MAX_ELEMENTS + 1);
    this.#isPart ||= members.length > MAX_ELEMENTS;
    const values = members
      .slice(0, MAX_ELEMENTS)
      .map(({ name, value }) => [name, this.#read(value, levels - 1)] as const);
    return asArray(json) === null ? Object.fromEntries(values) : values.map(([, value]) => value);
  }

  #readText(json: Uint8Array): string {
    const cut = cutText(json);
    this.#cuts.set(cut.beginning, cut);
    this.#room -= cut.beginning.length;
    return cut.beginning;
  }

  #leaveOut(): null {
    this.#isPart = true;
    return null;
  }
}
