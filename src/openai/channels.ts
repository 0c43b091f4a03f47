// Other places where a call's outputs may stand: the events of a stream, and the items of a conversation.
import * as z from "zod";
import { callItems, readCalls } from "./response.ts";
import { readToEnd, type Connection, type Sent } from "./event-stream.ts";
import { memberOf, valueOf } from "../lib/json-scan.ts";
import { conversationPage } from "./client.ts";

/** Pages of 20 items that are searched in a conversation. */
const MOST_PAGES = 10;

const Output = z.looseObject({ output: z.array(z.unknown()).catch([]) });

const Page = z.looseObject({
  data: z.array(z.unknown()),
  has_more: z.boolean().catch(false),
  last_id: z.string().optional().catch(undefined),
});

/** What a stream brought: its calls' items, and the response's status as far as it told. */
export type Watched = { id: string | null; items: unknown[]; status: string | null };

/**
 * Reads a response's events to their end. Outputs stand on `response.output_item.done` and again in the terminal event.
 * @param connection What the events come through.
 * @throws What broke the connection.
 */
export async function watch(connection: Connection): Promise<Watched> {
  const brought = await readToEnd(connection);
  if (brought.error !== null) throw brought.error;
  const items = new Map<string, unknown>();
  keepBest(items, [...brought.calls.values()].map(valueOf));
  if (brought.response !== null) keepBest(items, outputOf(brought.response));
  return { id: brought.id, items: [...items.values()], status: brought.status };
}

function outputOf({ bytes, short }: Sent): unknown[] {
  const output = bytes === null ? Output.parse(short).output : valueOf(memberOf(bytes, "output"));
  return Output.parse({ output }).output;
}

/**
 * Looks for calls among a conversation's items.
 * @param env The Worker's environment.
 * @param id The conversation.
 * @param include What the caller asked to have included.
 * @param wanted The calls' ids; the search ends when all are found.
 * @param signal Ends the search.
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
  for (let number = 0; number < MOST_PAGES; number += 1) {
    const answer = await conversationPage(env, id, include, after, signal);
    const page = Page.parse(answer.page);
    requestId = answer.requestId;
    keepBest(items, page.data.toReversed());
    const found = [...wanted].every((call) => items.has(call));
    if (found || !page.has_more || page.last_id === undefined) break;
    after = page.last_id;
  }
  return { requestId, items: [...items.values()] };
}

// One item a call: the one that has its outputs, wherever it stood.
function keepBest(items: Map<string, unknown>, seen: unknown[]): void {
  for (const item of callItems(seen)) {
    const [call] = readCalls([item]);
    if (call === undefined) continue;
    if (call.state === "populated" || !items.has(call.id)) items.set(call.id, item);
  }
}
