// A record as the outside sees it: what is Known, joined with the response's body.
import * as z from "zod";
import type { Call, Channel, Known, KnownCall, ResponseRecord } from "./record.ts";

const Item = z.looseObject({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  code: z.string().nullable().catch(null),
  outputs: z.array(z.unknown()).nullable().catch(null),
});
const Parsed = z.looseObject({ output: z.array(z.unknown()).catch([]) });
const Log = z.looseObject({ type: z.literal("logs"), logs: z.string() });

/** A record, ready to be shown. */
export type Revealed = {
  /** Everything but the response object. */
  record: Omit<ResponseRecord, "response">;
  /** The record's JSON, in pieces: the response object as OpenAI sent it, byte for byte. */
  json(): ReadableStream<Uint8Array>;
  /** What the code printed, call after call. */
  printed(): string;
  /** The response object's JSON, or null. */
  response: Uint8Array | null;
};

/** Reads the calls that another channel had, with their outputs. */
export type ReadOutputs = (channel: Channel) => Promise<unknown[]>;

/**
 * Joins a record with its body, and with what other channels had.
 * @param known What is known.
 * @param body The response object's JSON, unread; null when none is stored.
 * @param others Reads what is stored beside it.
 */
export async function reveal(
  known: Known,
  body: ReadableStream<Uint8Array> | null,
  others: ReadOutputs,
): Promise<Revealed> {
  const bytes = body === null || known.body === null ? null : await new Response(body).bytes();
  const own = bytes === null ? [] : outputOf(bytes);
  const calls = await withOutputs(known.calls, own, others);
  const control =
    known.control === null
      ? null
      : { ...known.control, calls: await withOutputs(known.control.calls, [], others) };
  const record = { ...outside(known), control, calls };
  return {
    record,
    response: bytes,
    json: () => jsonOf(record, bytes),
    printed: () => calls.map(printedBy).reduce(joinLines, ""),
  };
}

// A call's outputs stand in the response's body, or where its source had them.
async function withOutputs(
  calls: KnownCall[],
  own: unknown[],
  others: ReadOutputs,
): Promise<Call[]> {
  const sources = new Set(calls.map((call) => call.source).filter((source) => source !== null));
  const beside = new Map<Channel | null, unknown[]>();
  for (const source of sources) {
    const missing = calls.some((call) => call.source === source && isMissing(call, own));
    beside.set(source, missing ? await others(source) : []);
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
function isMissing(call: KnownCall, own: unknown[]): boolean {
  if (call.state !== "populated") return false;
  return (byId(own, call.id)?.outputs ?? []).length === 0;
}

function byId(items: unknown[], id: string): z.infer<typeof Item> | undefined {
  return items.map((item) => Item.safeParse(item).data).find((item) => item?.id === id);
}

// The contract's names, in the contract's order.
function outside(known: Known): Omit<ResponseRecord, "calls" | "control" | "response"> {
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

function outputOf(bytes: Uint8Array): unknown[] {
  const parsed = Parsed.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  return parsed.success ? parsed.data.output : [];
}

// A response of 24 MiB is not parsed and written again: its bytes go out as they are.
function jsonOf(
  record: Omit<ResponseRecord, "response">,
  bytes: Uint8Array | null,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const { calls, ...rest } = record;
  const pieces = [
    () => encoder.encode(`${JSON.stringify(rest).slice(0, -1)},"calls":[`),
    ...calls.map(
      (call, index) => () => encoder.encode((index === 0 ? "" : ",") + JSON.stringify(call)),
    ),
    () => encoder.encode(`],"response":`),
    () => bytes ?? encoder.encode("null"),
    () => encoder.encode("}"),
  ];
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) return controller.close();
      controller.enqueue(piece());
    },
  });
}

function printedBy(call: Call): string {
  return (call.outputs ?? [])
    .map((output) => Log.safeParse(output))
    .map((log) => (log.success ? log.data.logs : ""))
    .join("");
}

function joinLines(before: string, next: string): string {
  const gap = before === "" || before.endsWith("\n") || next === "" ? "" : "\n";
  return before + gap + next;
}
