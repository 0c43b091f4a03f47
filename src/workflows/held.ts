// What a Holder leaves when its connection has ended: one line of JSON, and after it the response's bytes as OpenAI sent them.
import { splitFirstLine, streamChunks } from "../lib/byte-stream.ts";
import { parseValue } from "../lib/json-scan.ts";
import * as z from "zod";
import { readBody, type BodyRead } from "../lib/json-stream.ts";
import type { StreamResult, EventStream } from "../openai/event-stream.ts";
import { outputItems, parseCalls } from "../openai/response.ts";
import { BREAK_UNKNOWN } from "../record/schema.ts";

/** What stands in the line. */
const Head = z.object({
  /** When it ended. */
  at: z.iso.datetime(),
  http_status: z.number().nullable(),
  request_id: z.string().nullable(),
  status: z.string().nullable(),
  /** The event at which the connection broke; null when it came to its end. */
  broke_at: z.string().nullable(),
  /** The response follows with its long texts cut: it had this many bytes, too many to be kept. */
  too_large: z.number().nullable(),
  /** What OpenAI's `error` event said, where one ended it. */
  error: z.object({ code: z.string(), message: z.string() }).nullable().default(null),
  /** Calls whose outputs the response itself lacks; all of them where there is no response. */
  calls: z.array(z.unknown()),
});

export type Held = z.infer<typeof Head> & { response: BodyRead | null };

/**
 * What is left of a connection.
 * @param connection The connection, as far as it is known.
 * @param brought What it brought; null when it was lost with its Holder.
 */
export function leave(
  connection: EventStream | null,
  brought: StreamResult | null,
): ReadableStream<Uint8Array> {
  const response = brought?.response ?? null;
  const head: z.infer<typeof Head> = {
    at: new Date().toISOString(),
    http_status: connection?.httpStatus ?? null,
    request_id: connection?.requestId ?? null,
    status: brought?.status ?? null,
    broke_at: response === null ? (brought?.lastEvent ?? BREAK_UNKNOWN) : null,
    too_large: response !== null && response.bytes === null ? response.size : null,
    error: brought?.errorEvent ?? null,
    calls: brought === null ? [] : callsBeside(brought),
  };
  const encoder = new TextEncoder();
  const body = response?.bytes ?? encoder.encode(JSON.stringify(response?.truncated));
  return streamChunks([
    encoder.encode(`${JSON.stringify(head)}\n`),
    ...(response === null ? [] : [body]),
  ]);
}

// Only these are parsed: the others have what the response has, which can be 24 MiB.
function callsBeside({ response, calls }: StreamResult): unknown[] {
  if (response === null) return [...calls.values()].map(parseValue);
  const shown = parseCalls(outputItems(response.truncated));
  const complete = new Set(shown.flatMap(({ id, state }) => (state === "populated" ? [id] : [])));
  const others = [...calls].flatMap(([id, call]) => (complete.has(id) ? [] : [parseValue(call)]));
  return others.filter((call) => parseCalls([call])[0]?.state === "populated");
}

/**
 * Reads what a Holder left.
 * @param stream As `leave` gave it.
 */
export async function readHeld(stream: ReadableStream<Uint8Array>): Promise<Held> {
  const { line, rest } = await splitFirstLine(stream);
  const head = Head.parse(JSON.parse(line));
  const body = await readBody(rest);
  if (body.bytes === 0) return { ...head, response: null };
  if (head.too_large === null) return { ...head, response: body };
  return { ...head, response: { ...body, chunks: null, bytes: head.too_large } };
}
