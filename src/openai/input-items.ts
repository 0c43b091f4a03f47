// What a response was asked, for runs that other programs started: their requests are not known.
import * as z from "zod";
import { readBody } from "../lib/json-stream.ts";
import { redactRequest } from "../record/request/redact.ts";
import { logFailure } from "../log.ts";
import { listInputItems } from "./client.ts";
import { parseUpstreamJson } from "./response.ts";

/** The record keeps so many bytes of JSON of what was asked: the last items. */
const MAX_INPUT_BYTES = 32 * 1024;

const ItemPage = z.looseObject({ data: z.array(z.unknown()) });

/**
 * Fetches the last items of a response's input, without credentials and with long texts truncated.
 * @returns In the order of the conversation; null when they can't be fetched, which is no failure of the observation.
 */
export async function fetchInput(
  env: Env,
  id: string,
  signal: AbortSignal,
): Promise<unknown[] | null> {
  try {
    const answer = await listInputItems(env, id, signal);
    const stream: ReadableStream<Uint8Array> | null = answer.body;
    if (stream === null) return null;
    const page = ItemPage.parse(parseUpstreamJson((await readBody(stream)).truncated));
    const items = page.data.toReversed();
    return keepLast(z.array(z.unknown()).parse(redactRequest({ input: items })["input"]));
  } catch (error) {
    logFailure("input_items", error, { id });
    return null;
  }
}

function keepLast(items: unknown[]): unknown[] {
  let room = MAX_INPUT_BYTES;
  const first = items.findLastIndex((item) => {
    room -= new TextEncoder().encode(JSON.stringify(item)).byteLength;
    return room < 0;
  });
  return items.slice(first + 1);
}
