// A record as the API shows it: the stored record joined with the response's body. Outputs pass through as bytes: they can be megabytes.
import { joinItems } from "./output-items.ts";
import { toByteStream } from "../../lib/byte-stream.ts";
import {
  arrayElements,
  asArray,
  findMember,
  isString,
  memberMap,
  parseValue,
} from "../../lib/json-scan.ts";
import { askedTexts } from "../../objects/catalog/texts.ts";
import { includeOf } from "../../record/request/include.ts";
import { sha256OfChunks } from "../../lib/sha256.ts";
import { findCallItems, keyOfItem, resultText, type CallItem } from "../../openai/call-items.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import { missingOutputsHint } from "../../record/calls/cure.ts";
import { cutText } from "./page-text.ts";
import { CODE_INTERPRETER, itemKind } from "../../record/calls/item-kinds.ts";
import type {
  Call,
  Channel,
  ResponseRecord,
  StoredCall,
  StoredRecord,
} from "../../record/schema.ts";

const encoder = new TextEncoder();

/** A page gets only the beginning and the end of the text of a larger output. */
const MAX_PAGE_OUTPUT_BYTES = 64 * 1024;

/** A call; its request and its result are JSON, or null where it has none. */
export type CallRepresentation = Omit<Call, "request" | "result" | "outputs"> & {
  request: Uint8Array | null;
  result: Uint8Array | null;
};

/** A record as pages show it: without the response object, and with long texts truncated. */
export type PageRecord = Omit<ResponseRecord, "response"> &
  Pick<StoredRecord, "control_due" | "retention_days" | "containers"> & {
    /** The last text of what was asked; null when it is not known. */
    asked: string | null;
    /** The response that this one continues. */
    previousId: string | null;
  };

/** A record, ready to be sent or shown. */
export type RecordRepresentation = {
  calls: CallRepresentation[];
  /** The calls of the control; none without one. */
  controlCalls: CallRepresentation[];
  /** Items that came over a connection, and that the response lacks, each as JSON. */
  partial: Uint8Array[];
  /** The response's output items, joined with those that other channels had, each as JSON. */
  items: Uint8Array[];
  /** The record's JSON. Results and the response object are byte for byte as OpenAI sent them. */
  json(): ReadableStream<Uint8Array>;
  toPageRecord(): Promise<PageRecord>;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
};

/** Reads the calls that a channel had, with their outputs: an array as JSON, or null. */
export type ReadOutputs = (channel: Channel) => Promise<Uint8Array | null>;

/**
 * Joins a record with its body, and with the outputs of other channels.
 * @param known What is stored of the run.
 * @param body The response object's JSON, unread; null when none is stored, or when KV does not show it.
 */
export async function toRepresentation(
  known: StoredRecord,
  body: ReadableStream<Uint8Array> | null,
  readOutputs: ReadOutputs,
): Promise<RecordRepresentation> {
  const record = body === null && known.body !== null ? withLostBody(known) : known;
  const response = body === null || record.body === null ? null : await new Response(body).bytes();
  const output = response === null ? undefined : findMember(response, "output");
  const shown = arrayElements(output);
  const found = findCallItems(output);
  const stored = await readStored(record, found, readOutputs);
  const toHint = (call: StoredCall) => call.hint ?? missingOutputsHint(call.verdict, record);
  const calls = withResults(record.calls, found, stored, toHint);
  const controlCalls = await readControlCalls(record, readOutputs);
  const partial = listPartial(record, shown, stored);
  return {
    calls,
    controlCalls,
    partial,
    items: [...stored.values()].reduce(
      (items, more) => joinItems(items, arrayElements(more)),
      shown,
    ),
    json: () => toByteStream(recordJson({ record, calls, controlCalls, partial, response })),
    toPageRecord: async () => ({
      ...publicFields(record),
      control_due: record.control_due,
      retention_days: record.retention_days,
      containers: record.containers,
      asked: askedTexts(record).at(-1) ?? null,
      previousId: findPreviousId(record, response),
      partial: partial.length === 0 ? null : partial.map(toPageItem),
      control:
        record.control === null
          ? null
          : { ...record.control, calls: await toPageCalls(controlCalls) },
      // What to do about missing outputs a page says once, of the run.
      calls: (await toPageCalls(calls)).map((call, index) => ({
        ...call,
        hint: record.calls[index]?.hint ?? null,
      })),
    }),
    response,
  };
}

// The response says it where the request is not known.
function findPreviousId({ request }: StoredRecord, response: Uint8Array | null): string | null {
  const name = "previous_response_id";
  const json = response === null ? undefined : findMember(response, name);
  const id = request === null ? parseValue(json) : request[name];
  return typeof id === "string" && RESPONSE_ID.test(id) ? id : null;
}

// What is known without the body is shown.
function withLostBody(record: StoredRecord): StoredRecord {
  const message = `KV does not show the stored response, so \`response\` and the outputs in it are missing here. Ask again in a minute; if they stay away, POST /results/${record.id}/refetch stores them again while OpenAI has the response.`;
  return { ...record, error: { code: "not_stored", message } };
}

type StoredItems = ReadonlyMap<Channel, Uint8Array>;

// Items are stored apart from the body for results that it lacks, and for a connection that brought more than it has.
async function readStored(
  { calls, partial_from }: StoredRecord,
  found: CallItem[],
  readOutputs: ReadOutputs,
): Promise<StoredItems> {
  const lacking = calls.filter((call) => lacksResult(call, found)).map(({ source }) => source);
  const channels = new Set([partial_from, ...lacking].filter((channel) => channel !== null));
  const stored = new Map<Channel, Uint8Array>();
  for (const channel of channels) {
    const items = await readOutputs(channel);
    if (items !== null) stored.set(channel, items);
  }
  return stored;
}

// What came over a connection and is still not in the response.
function listPartial(
  { partial_from }: StoredRecord,
  shown: Uint8Array[],
  stored: StoredItems,
): Uint8Array[] {
  const keys = new Set(shown.map(keyOfItem));
  const items = partial_from === null ? [] : arrayElements(stored.get(partial_from));
  return items.filter((item) => !keys.has(keyOfItem(item)));
}

async function readControlCalls(
  { control }: StoredRecord,
  readOutputs: ReadOutputs,
): Promise<CallRepresentation[]> {
  const calls = control?.calls ?? [];
  const items = calls.some(({ source }) => source !== null) ? await readOutputs("control") : null;
  return withResults(calls, findCallItems(items), new Map(), () => null);
}

// A call's result is in the response's body, or was stored from the channel that had it.
function withResults(
  calls: StoredCall[],
  found: CallItem[],
  stored: StoredItems,
  toHint: (call: StoredCall) => string | null,
): CallRepresentation[] {
  const others = new Map([...stored].map(([channel, items]) => [channel, findCallItems(items)]));
  return calls.map((call) => {
    const { state: _state, request_cut: _cut, ...rest } = call;
    const other = call.source === null ? undefined : others.get(call.source);
    const item = findById(lacksResult(call, found) ? (other ?? []) : found, call.id);
    const request = item?.request ?? storedRequest(call);
    const hint = toHint(call);
    return { ...rest, hint, request, code: toCode(call, request), result: item?.result ?? null };
  });
}

// Only the beginning of a long request is stored: of code that is worth something, of JSON it is not.
function storedRequest({ type, request, request_cut }: StoredCall): Uint8Array | null {
  if (request === null) return null;
  if (type === CODE_INTERPRETER.type) return encoder.encode(JSON.stringify(request));
  return request_cut === true ? null : encoder.encode(request);
}

function toCode({ type }: StoredCall, request: Uint8Array | null): string | null {
  if (type !== CODE_INTERPRETER.type || !isString(request ?? undefined)) return null;
  return String(parseValue(request ?? undefined));
}

// The stored body is not always the one that had this call's result.
function lacksResult(call: StoredCall, items: CallItem[]): boolean {
  return call.state === "populated" && findById(items, call.id)?.isPopulated !== true;
}

// Of a call that is listed twice, the one that has a result.
function findById(items: CallItem[], id: string): CallItem | undefined {
  const same = items.filter((item) => item.id === id);
  return same.find(({ isPopulated }) => isPopulated) ?? same[0];
}

// The contract's fields, in its order.
function publicFields(
  record: StoredRecord,
): Omit<ResponseRecord, "calls" | "control" | "partial" | "response"> {
  return {
    id: record.id,
    status: record.status,
    status_at: record.status_at,
    verdict: record.verdict,
    model: record.model,
    background: record.background,
    created_at: record.created_at,
    completed_at: record.completed_at,
    recorded_at: record.recorded_at,
    updated_at: record.updated_at,
    settled_at: record.settled_at,
    expires_at: record.expires_at,
    started_by: record.started_by,
    include: includeOf(record),
    metadata: record.metadata,
    request: record.request,
    observations: record.observations,
    webhook: record.webhook,
    files: record.files,
    held: record.held,
    notification: record.notification,
    error: record.error,
  };
}

type Piece = string | Uint8Array;

function* recordJson({
  record,
  calls,
  controlCalls,
  partial,
  response,
}: Pick<RecordRepresentation, "calls" | "controlCalls" | "partial" | "response"> & {
  record: StoredRecord;
}): Generator<Uint8Array> {
  yield* encodePieces([openObject(publicFields(record)), `"control":`]);
  if (record.control === null) yield* encodePieces(["null"]);
  else {
    const { calls: _, ...control } = record.control;
    yield* encodePieces([openObject(control), `"calls":`]);
    yield* encodePieces(callsJson(controlCalls));
    yield* encodePieces(["}"]);
  }
  yield* encodePieces([`,"calls":`]);
  yield* encodePieces(callsJson(calls));
  yield* encodePieces([`,"partial":`]);
  yield* encodePieces(partial.length === 0 ? ["null"] : arrayJson(partial.map((item) => [item])));
  yield* encodePieces([`,"response":`, response ?? "null", "}"]);
}

function callsJson(calls: CallRepresentation[]): Generator<Piece> {
  return arrayJson(
    calls.map(({ request, result, ...call }): Piece[] => [
      `${openObject(call)}"request":`,
      request ?? "null",
      `,"result":`,
      result ?? "null",
      `,"outputs":`,
      toOutputs(call, result) ?? "null",
      "}",
    ]),
  );
}

function* arrayJson(elements: Piece[][]): Generator<Piece> {
  yield "[";
  for (const [index, pieces] of elements.entries()) {
    if (index > 0) yield ",";
    yield* pieces;
  }
  yield "]";
}

// A code interpreter call's result, as OpenAI names it.
function toOutputs({ type }: { type: string }, result: Uint8Array | null): Uint8Array | null {
  return type === CODE_INTERPRETER.type ? asArray(result ?? undefined) : null;
}

/** An object's JSON without its closing brace, ready for more members. */
export function openObject(value: object): string {
  return `${JSON.stringify(value).slice(0, -1)},`;
}

/** Texts and bytes as bytes. */
export function* encodePieces(pieces: Iterable<Piece>): Generator<Uint8Array> {
  for (const piece of pieces) {
    if (piece.length > 0) yield typeof piece === "string" ? encoder.encode(piece) : piece;
  }
}

/** The texts of some calls' results, call after call. */
export function toStdout(calls: readonly CallRepresentation[]): ReadableStream<Uint8Array> {
  return toByteStream(encodePieces(stdoutPieces(calls)));
}

// The output of each call begins on a new line.
function* stdoutPieces(calls: readonly CallRepresentation[]): Generator<string> {
  let lastCharacter = "\n";
  for (const { type, result } of calls) {
    const kind = itemKind(type);
    let hasBegun = false;
    for (const text of kind === undefined ? [] : resultText(kind, result)) {
      if (text === "") continue;
      if (!hasBegun && lastCharacter !== "\n") yield "\n";
      hasBegun = true;
      lastCharacter = text.slice(-1);
      yield text;
    }
  }
}

async function toPageCalls(calls: CallRepresentation[]): Promise<Call[]> {
  return Promise.all(
    calls.map(async ({ request, result, ...call }) => {
      const outputs = toOutputs(call, result);
      return {
        ...call,
        request: toPageItem(request),
        // What code printed is in its outputs.
        result: outputs === null ? toPageItem(result) : null,
        outputs:
          outputs === null ? null : await Promise.all(arrayElements(outputs).map(toPageOutput)),
      };
    }),
  );
}

// `cut` has the size of a value that is too large for a page.
function toPageItem(json: Uint8Array | null): unknown {
  if (json === null) return null;
  if (json.byteLength <= MAX_PAGE_OUTPUT_BYTES) return parseValue(json);
  return { cut: { bytes: json.byteLength } };
}

// `cut` has the size of the whole text, its end, and a digest that tells apart texts with the same beginning.
async function toPageOutput(output: Uint8Array): Promise<unknown> {
  if (output.byteLength <= MAX_PAGE_OUTPUT_BYTES) return parseValue(output);
  const members = memberMap(output);
  const type = parseValue(members.get("type"));
  const [name, text] = [...members].find(isLong) ?? ["", output];
  if (!isString(text)) return { type, cut: { bytes: output.byteLength } };
  const { digest } = await sha256OfChunks([text]);
  const { beginning, end, bytes } = cutText(text);
  return { type, [name]: beginning, cut: { bytes, digest, end } };
}

function isLong([, value]: [string, Uint8Array]): boolean {
  return value.byteLength > MAX_PAGE_OUTPUT_BYTES / 2;
}
