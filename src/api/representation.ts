// A record as the API shows it: the stored record joined with the response's body. Outputs pass through as bytes: they can be megabytes.
import { toByteStream } from "../lib/byte-stream.ts";
import {
  arrayElements,
  findMember,
  isString,
  memberMap,
  parseValue,
  stringChunks,
} from "../lib/json-scan.ts";
import { sha256OfChunks } from "../lib/sha256.ts";
import { findCallItems, logChunks, type CallItem } from "../openai/call-items.ts";
import type { Call, Channel, ResponseRecord, StoredCall, StoredRecord } from "../record/schema.ts";

/** A page gets only the beginning of a larger output. */
const MAX_PAGE_OUTPUT_BYTES = 64 * 1024;
/** Characters of that beginning. */
const MAX_PAGE_TEXT_LENGTH = 32 * 1024;

/** A call, and its outputs as JSON; null when it has none. */
export type CallRepresentation = Omit<Call, "outputs"> & { outputs: Uint8Array | null };

/** A record as pages show it: without the response object, and with long texts truncated. */
export type PageRecord = Omit<ResponseRecord, "response">;

/** A record, ready to be sent or shown. */
export type RecordRepresentation = {
  calls: CallRepresentation[];
  /** The calls of the control; none without one. */
  controlCalls: CallRepresentation[];
  /** The record's JSON. Outputs and the response object are byte for byte as OpenAI sent them. */
  json(): ReadableStream<Uint8Array>;
  /** What the code printed, call after call. */
  stdout(): ReadableStream<Uint8Array>;
  toPageRecord(): Promise<PageRecord>;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
};

/** Reads the calls that a channel had, with their outputs: an array as JSON, or null. */
export type ReadOutputs = (channel: Channel) => Promise<Uint8Array | null>;

/**
 * Joins a record with its body, and with the outputs of other channels.
 * @param body The response object's JSON, unread; null when none is stored.
 */
export async function toRepresentation(
  record: StoredRecord,
  body: ReadableStream<Uint8Array> | null,
  readOutputs: ReadOutputs,
): Promise<RecordRepresentation> {
  const response = body === null || record.body === null ? null : await new Response(body).bytes();
  const items = response === null ? [] : findCallItems(findMember(response, "output"));
  const calls = await withOutputs(record.calls, items, readOutputs);
  const controlCalls = await withOutputs(record.control?.calls ?? [], [], readOutputs);
  return {
    calls,
    controlCalls,
    json: () => toByteStream(recordJson(record, calls, controlCalls, response)),
    stdout: () => toByteStream(encodePieces(stdoutPieces(calls))),
    toPageRecord: async () => ({
      ...publicFields(record),
      control:
        record.control === null
          ? null
          : { ...record.control, calls: await toPageCalls(controlCalls) },
      calls: await toPageCalls(calls),
    }),
    response,
  };
}

// A call's outputs are in the response's body, or were stored from the channel that had them.
async function withOutputs(
  calls: StoredCall[],
  items: CallItem[],
  readOutputs: ReadOutputs,
): Promise<CallRepresentation[]> {
  const sources = new Set(calls.map((call) => call.source).filter((source) => source !== null));
  const stored = new Map<Channel | null, CallItem[]>();
  for (const source of sources) {
    const lacking = calls.some((call) => call.source === source && lacksOutputs(call, items));
    stored.set(source, lacking ? findCallItems(await readOutputs(source)) : []);
  }
  return calls.map((call) => {
    const { state: _state, code_cut: _cut, ...rest } = call;
    const from = lacksOutputs(call, items) ? (stored.get(call.source) ?? []) : items;
    const item = findById(from, call.id);
    if (item === undefined) return { ...rest, outputs: null };
    return { ...rest, code: item.code ?? rest.code, outputs: item.outputs };
  });
}

// The stored body is not always the one that had this call's outputs.
function lacksOutputs(call: StoredCall, items: CallItem[]): boolean {
  if (call.state !== "populated") return false;
  return arrayElements(findById(items, call.id)?.outputs).length === 0;
}

function findById(items: CallItem[], id: string): CallItem | undefined {
  return items.find((item) => item.id === id);
}

// The contract's fields, in its order.
function publicFields(
  record: StoredRecord,
): Omit<ResponseRecord, "calls" | "control" | "response"> {
  return {
    id: record.id,
    status: record.status,
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
    include: record.include,
    metadata: record.metadata,
    request: record.request,
    observations: record.observations,
    webhook: record.webhook,
    files: record.files,
    held: record.held,
    error: record.error,
  };
}

type Piece = string | Uint8Array;

function* recordJson(
  record: StoredRecord,
  calls: CallRepresentation[],
  controlCalls: CallRepresentation[],
  response: Uint8Array | null,
): Generator<Uint8Array> {
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
  yield* encodePieces([`,"response":`, response ?? "null", "}"]);
}

function* callsJson(calls: CallRepresentation[]): Generator<Piece> {
  yield "[";
  for (const [index, { outputs, ...call }] of calls.entries()) {
    if (index > 0) yield ",";
    yield `${openObject(call)}"outputs":`;
    yield outputs ?? "null";
    yield "}";
  }
  yield "]";
}

/** An object's JSON without its closing brace, ready for more members. */
export function openObject(value: object): string {
  return `${JSON.stringify(value).slice(0, -1)},`;
}

/** Texts and bytes as bytes. */
export function* encodePieces(pieces: Iterable<Piece>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) {
    if (piece.length > 0) yield typeof piece === "string" ? encoder.encode(piece) : piece;
  }
}

// The output of each call begins on a new line.
function* stdoutPieces(calls: CallRepresentation[]): Generator<string> {
  let lastCharacter = "\n";
  for (const { outputs } of calls) {
    let hasBegun = false;
    for (const text of logChunks(outputs)) {
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
    calls.map(async ({ outputs, ...call }) => ({
      ...call,
      outputs:
        outputs === null ? null : await Promise.all(arrayElements(outputs).map(toPageOutput)),
    })),
  );
}

// `cut` has the size of the whole text, and a digest that tells apart texts with the same beginning.
async function toPageOutput(output: Uint8Array): Promise<unknown> {
  if (output.byteLength <= MAX_PAGE_OUTPUT_BYTES) return parseValue(output);
  const members = memberMap(output);
  const type = parseValue(members.get("type"));
  const [name, text] = [...members].find(isLong) ?? ["", output];
  if (!isString(text)) return { type, cut: { bytes: output.byteLength } };
  const { digest } = await sha256OfChunks([text]);
  return { type, [name]: textBeginning(text), cut: { bytes: textBytes(text), digest } };
}

function isLong([, value]: [string, Uint8Array]): boolean {
  return value.byteLength > MAX_PAGE_TEXT_LENGTH;
}

function textBeginning(text: Uint8Array): string {
  let beginning = "";
  for (const chunk of stringChunks(text)) {
    beginning += chunk;
    if (beginning.length >= MAX_PAGE_TEXT_LENGTH) break;
  }
  return beginning.slice(0, MAX_PAGE_TEXT_LENGTH);
}

function textBytes(text: Uint8Array): number {
  let bytes = 0;
  for (const chunk of encodePieces(stringChunks(text))) bytes += chunk.byteLength;
  return bytes;
}
