// A record as the outside sees it: what is Known, joined with the response's body.
import { z } from "zod";
import type { Call, Known, ResponseRecord } from "./record.ts";

const Item = z.looseObject({ type: z.literal("code_interpreter_call"), id: z.string() });
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

/**
 * Joins a record with its body.
 * @param known What is known.
 * @param body The response object's JSON, unread; null when none is stored.
 */
export async function reveal(
  known: Known,
  body: ReadableStream<Uint8Array> | null,
): Promise<Revealed> {
  const bytes = body === null || known.body === null ? null : await new Response(body).bytes();
  const items = bytes === null ? new Map<string, z.infer<typeof Item>>() : itemsOf(bytes);
  const calls = known.calls.map((call): Call => {
    const { state: _, ...rest } = call;
    const item = items.get(call.id);
    if (item === undefined) return { ...rest, outputs: null };
    const code = typeof item["code"] === "string" ? item["code"] : rest.code;
    return { ...rest, code, outputs: Array.isArray(item["outputs"]) ? item["outputs"] : null };
  });
  const record = { ...outside(known), calls };
  return {
    record,
    response: bytes,
    json: () => jsonOf(record, bytes),
    printed: () => calls.map(printedBy).reduce(joinLines, ""),
  };
}

// The contract's names, in the contract's order.
function outside(known: Known): Omit<ResponseRecord, "calls" | "response"> {
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
    control: known.control,
    held: known.held,
    error: known.error,
  };
}

function itemsOf(bytes: Uint8Array): Map<string, z.infer<typeof Item>> {
  const parsed = Parsed.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  const items = parsed.success ? parsed.data.output : [];
  return new Map(
    items.flatMap((item) => {
      const call = Item.safeParse(item);
      return call.success ? [[call.data.id, call.data]] : [];
    }),
  );
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
