// The items of a response in its order, each with what belongs to it: the item that brought its output, the record's call, the control's.
import * as z from "zod";
import type { PageItem, PageResponse } from "../../api/answers/page-response.ts";
import { itemKind, type ItemKind, type Path } from "../../record/calls/item-kinds.ts";
import type { Call, ResponseRecord } from "../../record/schema.ts";

/** One item of the list. `control`: the same call of the control. `item.value` is null where only the record has a call. */
export type Entry = {
  item: PageItem;
  output: PageItem | null;
  call: Call | null;
  /** The call's number in the record, or in the control when only that has it, from 1. */
  number: number | null;
  control: Call | null;
};

const CallReference = z.looseObject({ call_id: z.string() });
/** The ends of the types of items that bring what came of a call. */
const OUTPUT_TYPE = /_output$/;

type Subject = Pick<ResponseRecord, "calls" | "control">;

/** The entries of a response. Calls that only the record or only its control has come last. */
export function toEntries(record: Subject, response: PageResponse): Entry[] {
  const outputs = new Map(response.items.flatMap(toOutputPair));
  const numbers = new Map(record.calls.map((call, index) => [call.id, index]));
  const shown = response.items.map((item): Entry => {
    const index = item.id === null ? undefined : numbers.get(item.id);
    const output = OUTPUT_TYPE.test(item.type) ? null : (outputs.get(toCallId(item) ?? "") ?? null);
    return { item, output, ...toCallFields(record, index) };
  });
  const attached = new Set(shown.map(({ output }) => output));
  const gone = record.calls.flatMap((call, index): Entry[] =>
    response.ids.has(call.id) ? [] : [toCallEntry(call, toCallFields(record, index))],
  );
  const controlCalls = record.control?.calls.slice(record.calls.length) ?? [];
  const extra = controlCalls.map((control, index) =>
    toCallEntry(control, { call: null, number: record.calls.length + index + 1, control }),
  );
  return [...shown.filter(({ item }) => !attached.has(item)), ...gone, ...extra];
}

/** An item that stands for a call of which only the record knows. */
export function toCallItem(call: Call): PageItem {
  const { id, type, status, result } = call;
  const kind = itemKind(type);
  const value = { id, type, status, ...toRequestMembers(kind, call) };
  const item = { type, id, cuts: new Map(), bytes: 0, isPart: false };
  // A result that stands in another item is shown from that.
  const [place = []] = kind?.resultType === undefined ? (kind?.result ?? []) : [];
  return { ...item, value: result === null ? value : setAt(value, place, result) };
}

/** The item with the result of a call of which only the record knows; null where the call has it itself. */
export function toResultItem({ id, type, result }: Call): PageItem | null {
  const kind = itemKind(type);
  if (kind?.resultType === undefined || result === null) return null;
  const value = setAt({ type: kind.resultType }, kind.result[0] ?? [], result);
  return { type: kind.resultType, id, value, cuts: new Map(), bytes: 0, isPart: false };
}

function toRequestMembers(kind: ItemKind | undefined, { request }: Call): Record<string, unknown> {
  if (kind === undefined || request === null) return {};
  if ("members" in kind.request) return toRecord(request);
  const marked = kind.only === undefined ? {} : setAt({}, kind.only.path, kind.only.value);
  return setAt(marked, kind.request.places[0] ?? [], request);
}

function setAt(
  members: Record<string, unknown>,
  [name, ...rest]: Path,
  value: unknown,
): Record<string, unknown> {
  if (name === undefined) return members;
  const inner = rest.length === 0 ? value : setAt(toRecord(members[name]), rest, value);
  return { ...members, [name]: inner };
}

function toRecord(value: unknown): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).catch({}).parse(value);
}

/** The id by which a call and its output belong together. */
export function toCallId({ value }: PageItem): string | null {
  return CallReference.safeParse(value).data?.call_id ?? null;
}

function toOutputPair(item: PageItem): [string, PageItem][] {
  const id = OUTPUT_TYPE.test(item.type) ? toCallId(item) : null;
  return id === null ? [] : [[id, item]];
}

type CallFields = Pick<Entry, "call" | "number" | "control">;

function toCallFields({ calls, control }: Subject, index: number | undefined): CallFields {
  const call = index === undefined ? undefined : calls[index];
  if (call === undefined || index === undefined) return { call: null, number: null, control: null };
  return { call, number: index + 1, control: control?.calls[index] ?? null };
}

function toCallEntry(call: Call, fields: CallFields): Entry {
  return { item: toCallItem(call), output: toResultItem(call), ...fields };
}
