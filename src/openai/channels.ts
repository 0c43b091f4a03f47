// Other places where a call's outputs may be: the events of a stream, and the items of a conversation.
import * as z from "zod";
import { findMember, parseValue } from "../lib/json-scan.ts";
import { listConversationItems } from "./client.ts";
import { consumeEvents, type EventStream, type ResponseBytes } from "./event-stream.ts";
import { hasResult, identifyItem } from "./call-items.ts";
import { filterCallItems, outputItems } from "./response.ts";

/** Pages of 20 items that are searched in a conversation. */
const MAX_PAGES = 10;

const ItemPage = z.looseObject({
  data: z.array(z.unknown()),
  has_more: z.boolean().catch(false),
  last_id: z.string().optional().catch(undefined),
});

/** What a stream showed: its calls' items, and the response's status when an event had it. */
export type StreamCalls = { items: unknown[]; status: string | null };

/**
 * Reads a response's events to their end. Outputs appear in `response.output_item.done`, and again in the terminal event.
 * @throws What broke the connection.
 */
export async function collectStreamCalls(stream: EventStream): Promise<StreamCalls> {
  const result = await consumeEvents(stream);
  if (result.failure !== null) throw result.failure;
  const items = new Map<string, unknown>();
  keepMostComplete(items, [...result.items.values()].map(parseValue));
  if (result.response !== null) {
    keepMostComplete(items, filterCallItems(readOutputItems(result.response)));
  }
  return { items: [...items.values()], status: result.status };
}

function readOutputItems({ bytes, truncated }: ResponseBytes): unknown[] {
  return outputItems(
    bytes === null ? truncated : { output: parseValue(findMember(bytes, "output")) },
  );
}

/**
 * Searches a conversation's items for calls.
 * @param id The conversation's id.
 * @param include The create's values.
 * @param wanted The calls' ids; the search ends when all are found.
 */
export async function searchConversation(
  env: Env,
  id: string,
  include: string[],
  wanted: Set<string>,
  signal: AbortSignal,
): Promise<{ requestId: string | null; items: unknown[] }> {
  const items = new Map<string, unknown>();
  let requestId: string | null = null;
  let after: string | undefined;
  for (let number = 0; number < MAX_PAGES; number += 1) {
    const answer = await listConversationItems(env, id, include, after, signal);
    const page = ItemPage.parse(answer.page);
    requestId = answer.requestId;
    keepMostComplete(items, filterCallItems(page.data.toReversed()));
    const allFound = [...wanted].every((call) => items.has(call));
    if (allFound || !page.has_more || page.last_id === undefined) break;
    after = page.last_id;
  }
  return { requestId, items: [...items.values()] };
}

/** Keeps one item of each key: the one that has a result, when any has. */
export function keepMostComplete(items: Map<string, unknown>, seen: unknown[]): void {
  for (const item of seen) {
    const key = identifyItem(item)?.key;
    if (key !== undefined && (!items.has(key) || hasResult(item))) items.set(key, item);
  }
}
