// A record as the outside sees it: what is Known, joined with the response's body. What was printed is passed on as bytes: it can have megabytes.
import { describe } from "../lib/sha256.ts";
import { elementsOf, isText, itemsIn, named, printedIn, type Item } from "../openai/call-items.ts";
import { memberOf, textIn, valueOf } from "../lib/json-scan.ts";
import type { Call, Channel, Known, KnownCall, ResponseRecord } from "../record/schema.ts";

/** Bytes of an output above which a page gets only its beginning. */
const LARGEST_SHOWN = 64 * 1024;
/** Characters of it that a page gets. */
const SHOWN = 32 * 1024;

/** A call and its outputs as JSON; null where there are none. */
export type RevealedCall = Omit<Call, "outputs"> & { outputs: Uint8Array | null };

/** A record's JSON but for the response object, as pages show it: of a long text its beginning. */
export type Shown = Omit<ResponseRecord, "response">;

/** A record, ready to be sent or shown. */
export type Revealed = {
  calls: RevealedCall[];
  /** The calls of its control, where there is one. */
  others: RevealedCall[];
  /** The record's JSON, in pieces: outputs and the response object as OpenAI sent them, byte for byte. */
  json(): ReadableStream<Uint8Array>;
  /** What the code printed, call after call. */
  printed(): ReadableStream<Uint8Array>;
  /** For pages. */
  shown(): Promise<Shown>;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
};

/** Reads the calls that another channel had, with their outputs: a list as JSON, or null. */
export type ReadOutputs = (channel: Channel) => Promise<Uint8Array | null>;

/**
 * Joins a record with its body, and with what other channels had.
 * @param known What is known.
 * @param body The response object's JSON, unread; null when none is stored.
 * @param read Reads what is stored beside it.
 */
export async function reveal(
  known: Known,
  body: ReadableStream<Uint8Array> | null,
  read: ReadOutputs,
): Promise<Revealed> {
  const response = body === null || known.body === null ? null : await new Response(body).bytes();
  const own = response === null ? [] : itemsIn(memberOf(response, "output"));
  const calls = await withOutputs(known.calls, own, read);
  const others = await withOutputs(known.control?.calls ?? [], [], read);
  const outside = outsideOf(known);
  return {
    calls,
    others,
    json: () => streamOf(jsonOf(known, calls, others, response)),
    printed: () => streamOf(encoded(printedBy(calls))),
    shown: async () => ({
      ...outside,
      control:
        known.control === null ? null : { ...known.control, calls: await shownCalls(others) },
      calls: await shownCalls(calls),
    }),
    response,
  };
}

// A call's outputs stand in the response's body, or where its source had them.
async function withOutputs(
  calls: KnownCall[],
  own: Item[],
  read: ReadOutputs,
): Promise<RevealedCall[]> {
  const sources = new Set(calls.map((call) => call.source).filter((source) => source !== null));
  const beside = new Map<Channel | null, Item[]>();
  for (const source of sources) {
    const missing = calls.some((call) => call.source === source && isMissing(call, own));
    beside.set(source, missing ? itemsIn((await read(source)) ?? undefined) : []);
  }
  return calls.map((call) => {
    const { state: _, ...rest } = call;
    const other = beside.get(call.source) ?? [];
    const item = isMissing(call, own) ? byId(other, call.id) : byId(own, call.id);
    if (item === undefined) return { ...rest, outputs: null };
    return { ...rest, code: item.code ?? rest.code, outputs: item.outputs };
  });
}

// The body stored is an earlier or a later one than the one that had this call's outputs.
function isMissing(call: KnownCall, own: Item[]): boolean {
  if (call.state !== "populated") return false;
  return elementsOf(byId(own, call.id)?.outputs).length === 0;
}

function byId(items: Item[], id: string): Item | undefined {
  return items.find((item) => item.id === id);
}

// The contract's names, in the contract's order.
function outsideOf(known: Known): Omit<ResponseRecord, "calls" | "control" | "response"> {
  return {
    id: known.id,
    status: known.status,
    verdict: known.verdict,
    model: known.model,
    background: known.background,
    created_at: known.created_at,
    completed_at: known.completed_at,
    recorded_at: known.recorded_at,
    settled_at: known.settled_at,
    started_by: known.started_by,
    include: known.include,
    request: known.request,
    observations: known.observations,
    webhook: known.webhook,
    files: known.files,
    held: known.held,
    error: known.error,
  };
}

type Piece = string | Uint8Array;

function* jsonOf(
  known: Known,
  calls: RevealedCall[],
  others: RevealedCall[],
  response: Uint8Array | null,
): Generator<Uint8Array> {
  yield* encoded([open(outsideOf(known)), `"control":`]);
  if (known.control === null) yield* encoded(["null"]);
  else {
    const { calls: _, ...control } = known.control;
    yield* encoded([open(control), `"calls":`]);
    yield* encoded(listOf(others));
    yield* encoded(["}"]);
  }
  yield* encoded([`,"calls":`]);
  yield* encoded(listOf(calls));
  yield* encoded([`,"response":`, response ?? "null", "}"]);
}

function* listOf(calls: RevealedCall[]): Generator<Piece> {
  yield "[";
  for (const [index, { outputs, ...call }] of calls.entries()) {
    if (index > 0) yield ",";
    yield `${open(call)}"outputs":`;
    yield outputs ?? "null";
    yield "}";
  }
  yield "]";
}

// An object's JSON that goes on.
function open(value: object): string {
  return `${JSON.stringify(value).slice(0, -1)},`;
}

function* encoded(pieces: Iterable<Piece>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) {
    if (piece.length > 0) yield typeof piece === "string" ? encoder.encode(piece) : piece;
  }
}

function streamOf(pieces: Generator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = pieces.next();
      if (next.done === true) return controller.close();
      controller.enqueue(next.value);
    },
  });
}

// Each call begins on a line of its own.
function* printedBy(calls: RevealedCall[]): Generator<string> {
  let last = "\n";
  for (const { outputs } of calls) {
    let begun = false;
    for (const text of printedIn(outputs)) {
      if (text === "") continue;
      if (!begun && last !== "\n") yield "\n";
      begun = true;
      last = text.slice(-1);
      yield text;
    }
  }
}

async function shownCalls(calls: RevealedCall[]): Promise<Call[]> {
  return Promise.all(
    calls.map(async ({ outputs, ...call }) => ({
      ...call,
      outputs: outputs === null ? null : await Promise.all(elementsOf(outputs).map(shownOutput)),
    })),
  );
}

// `cut` says how much there is in all, and tells one text from another that begins alike.
async function shownOutput(output: Uint8Array): Promise<unknown> {
  if (output.byteLength <= LARGEST_SHOWN) return valueOf(output);
  const members = named(output);
  const type = valueOf(members.get("type"));
  const [name, text] = [...members].find(([, value]) => value.byteLength > SHOWN) ?? ["", output];
  if (!isText(text)) return { type, cut: { bytes: output.byteLength } };
  const { digest } = await describe([text]);
  return { type, [name]: beginningOf(text), cut: { bytes: bytesOf(text), digest } };
}

function beginningOf(text: Uint8Array): string {
  let beginning = "";
  for (const piece of textIn(text)) {
    beginning += piece;
    if (beginning.length >= SHOWN) break;
  }
  return beginning.slice(0, SHOWN);
}

function bytesOf(text: Uint8Array): number {
  let bytes = 0;
  for (const piece of encoded(textIn(text))) bytes += piece.byteLength;
  return bytes;
}
