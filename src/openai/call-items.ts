// The calls among output items, parsed or as bytes. What a call printed can be megabytes, so bytes are not parsed.
import * as z from "zod";
import { concatChunks } from "../lib/byte-stream.ts";
import {
  arrayElements,
  asObject,
  isString,
  memberMap,
  parseValue,
  stringChunks,
} from "../lib/json-scan.ts";
import {
  itemKind,
  resultKind,
  toResultState,
  type ItemKind,
  type Path,
} from "../record/calls/item-kinds.ts";

/** A value that is JSON, parsed or as bytes. */
type JsonReader<T> = {
  /** The members of an object; any other value has none. */
  members: (value: T) => ReadonlyMap<string, T>;
  /** Parses a value that is known to be small. */
  parse: (value: T | undefined) => unknown;
  toObject: (members: [string, T][]) => T;
};

/** A call where it stands. */
export type LocatedCall<T = unknown> = {
  kind: ItemKind;
  id: string;
  /** The call's own status; null when it has none. */
  status: string | null;
  containerId: string | null;
  /** Undefined when the item does not say what was asked. */
  request: T | undefined;
  /** Undefined when there is no such member. */
  result: T | undefined;
};

/** A call as bytes; `request` and `result` are JSON, and null where there is none. */
export type CallItem = {
  kind: ItemKind;
  id: string;
  request: Uint8Array | null;
  result: Uint8Array | null;
  isPopulated: boolean;
};

const VALUES: JsonReader<unknown> = {
  members: valueMembers,
  parse: (value) => value,
  toObject: (members) => Object.fromEntries(members),
};
const BYTES: JsonReader<Uint8Array> = {
  members: (json) => (asObject(json) === null ? new Map() : memberMap(json)),
  parse: parseValue,
  toObject: objectJson,
};

const decoder = new TextDecoder();
/** The record has a call's id in each observation. */
const MAX_ID_LENGTH = 300;
/** Values that are no result, without white space. */
const EMPTY = new Set(["null", "[]", '""']);
const MAX_EMPTY_BYTES = 100;

const Text = z.string().nullable().catch(null);

/** The calls among parsed output items, in their order. */
export function locateCalls(items: readonly unknown[]): LocatedCall[] {
  return locate(items, VALUES);
}

/**
 * The calls among output items.
 * @param items An array as JSON; any other value has none.
 */
export function findCallItems(items: Uint8Array | null | undefined): CallItem[] {
  return locate(arrayElements(items), BYTES).map(({ kind, id, request, result }) => ({
    kind,
    id,
    request: request ?? null,
    result: result ?? null,
    isPopulated: isPopulated(result),
  }));
}

/** Whether an output item has the result of a call. */
export function itemHasResult(item: Uint8Array): boolean {
  const members = BYTES.members(item);
  const type = parseValue(members.get("type"));
  const kind = itemKind(type) ?? resultKind(type);
  return kind !== undefined && isPopulated(firstAt(members, kind.result, BYTES));
}

function isPopulated(result: Uint8Array | undefined): boolean {
  return result !== undefined && !EMPTY.has(shortText(result));
}

/** What identifies an output item among those of its response; null when it has no id. */
export function keyOfItem(item: Uint8Array): string | null {
  const members = BYTES.members(item);
  const [id, call_id, type] = ["id", "call_id", "type"].map((name) =>
    parseValue(members.get(name)),
  );
  return identifyItem({ id, call_id, type })?.key ?? null;
}

/** What identifies a parsed output item among those of its response, and what it has in common with the other item of its call. Null when it has no id. */
export function identifyItem(item: unknown): { key: string; callId: string | null } | null {
  const members = valueMembers(item);
  const callId = Text.parse(members.get("call_id") ?? null);
  const id = Text.parse(members.get("id") ?? null);
  if (id === null && callId === null) return null;
  return { key: id ?? `${String(members.get("type"))} ${callId}`, callId };
}

/** Whether a parsed output item has the result of a call. */
export function hasResult(item: unknown): boolean {
  const members = valueMembers(item);
  const kind = itemKind(members.get("type")) ?? resultKind(members.get("type"));
  if (kind === undefined) return false;
  return toResultState(firstAt(members, kind.result, VALUES)) === "populated";
}

/** Whether a parsed output item is a call, or has the result of one. */
export function isCallItem(item: unknown): boolean {
  return locateCalls([item]).length > 0 || resultKind(valueMembers(item).get("type")) !== undefined;
}

/**
 * The text of a call's result, in chunks.
 * @param result The result as JSON.
 */
export function* resultText({ texts }: ItemKind, result: Uint8Array | null): Generator<string> {
  if (texts === null || result === null) return;
  if (isString(result)) yield* stringChunks(result);
  for (const element of arrayElements(result)) {
    const members = BYTES.members(element);
    for (const name of texts) {
      const text = members.get(name);
      if (isString(text)) yield* stringChunks(text);
    }
  }
}

function locate<T>(items: readonly T[], reader: JsonReader<T>): LocatedCall<T>[] {
  const all = items.map((item) => reader.members(item));
  const results = new Map(
    all.flatMap((members) => {
      const callId = reader.parse(members.get("call_id"));
      return resultKind(reader.parse(members.get("type"))) ? [[callId, members] as const] : [];
    }),
  );
  return all.flatMap((members) => {
    const kind = itemKind(reader.parse(members.get("type")));
    if (kind === undefined || !isOfKind(kind, members, reader)) return [];
    const callId = reader.parse(members.get("call_id"));
    const id = Text.parse(reader.parse(members.get("id")) ?? callId);
    if (id === null || id.length > MAX_ID_LENGTH) return [];
    const holder = kind.resultType === undefined ? members : results.get(callId);
    return [
      {
        kind,
        id,
        status: Text.parse(reader.parse(members.get("status"))),
        containerId: Text.parse(reader.parse(at(members, kind.container ?? [], reader))),
        request: locateRequest(kind, members, reader),
        result: holder === undefined ? undefined : firstAt(holder, kind.result, reader),
      },
    ];
  });
}

function isOfKind<T>(
  { only }: ItemKind,
  members: ReadonlyMap<string, T>,
  reader: JsonReader<T>,
): boolean {
  return only === undefined || reader.parse(at(members, only.path, reader)) === only.value;
}

function locateRequest<T>(
  { request }: ItemKind,
  members: ReadonlyMap<string, T>,
  reader: JsonReader<T>,
): LocatedCall<T>["request"] {
  if ("places" in request) return firstAt(members, request.places, reader);
  return reader.toObject(
    request.members.flatMap((name): [string, T][] => {
      const value = members.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

// The first value that is not null; one that is null only where there is no other.
function firstAt<T>(
  members: ReadonlyMap<string, T>,
  places: readonly Path[],
  reader: JsonReader<T>,
): T | undefined {
  const values = places.map((path) => at(members, path, reader)).filter((one) => one !== undefined);
  return values.find((value) => !isNull(value)) ?? values[0];
}

function at<T>(
  members: ReadonlyMap<string, T>,
  [name, ...rest]: Path,
  reader: JsonReader<T>,
): T | undefined {
  if (name === undefined) return undefined;
  const value = members.get(name);
  return value === undefined || rest.length === 0 ? value : at(reader.members(value), rest, reader);
}

function isNull(value: unknown): boolean {
  return value instanceof Uint8Array ? shortText(value) === "null" : value === null;
}

// A longer value is neither null nor empty.
function shortText(json: Uint8Array): string {
  return json.length > MAX_EMPTY_BYTES ? "" : decoder.decode(json).replaceAll(/\s/g, "");
}

function valueMembers(value: unknown): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map();
  return new Map(Object.entries(value));
}

function objectJson(members: [string, Uint8Array][]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = members.flatMap(([name, value], index) => [
    encoder.encode(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`),
    value,
  ]);
  return concatChunks([encoder.encode("{"), ...parts, encoder.encode("}")]);
}
