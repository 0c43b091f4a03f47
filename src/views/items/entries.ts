// The items of a response in its order, each with what belongs to it: the item that brought its output, the record's call, the control's.
import * as z from "zod";
import type { PageItem, PageResponse } from "../../api/page-response.ts";
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
  return { type: CALL_TYPE, id: call.id, value: null, cuts: new Map(), bytes: 0, isPart: false };
}

/** The id by which a call and its output belong together. */
export function toCallId({ value }: PageItem): string | null {
  return CallReference.safeParse(value).data?.call_id ?? null;
}

const CALL_TYPE = "code_interpreter_call";

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
  return { item: toCallItem(call), output: null, ...fields };
}
