// Other places where a call's outputs may stand: the events of a stream, and the items of a conversation.
import { z } from "zod";
import { callItems, readCalls } from "./facts.ts";
import { conversationPage } from "./openai.ts";
import { isTerminal } from "./fold.ts";

/** Pages of 20 items that are searched in a conversation. */
const MOST_PAGES = 10;

const Event = z.looseObject({
  type: z.string(),
  item: z.unknown().optional(),
  response: z
    .looseObject({
      id: z.string(),
      status: z.string().catch(""),
      output: z.array(z.unknown()).catch([]),
    })
    .optional()
    .catch(undefined),
});

const Page = z.looseObject({
  data: z.array(z.unknown()),
  has_more: z.boolean().catch(false),
  last_id: z.string().optional().catch(undefined),
});

/** What a stream brought: its calls' items, and the response's status as far as it told. */
export type Watched = { id: string | null; items: unknown[]; status: string | null };

/**
 * Reads a response's events to their end. Outputs stand on `response.output_item.done` and again in the terminal event.
 * @param events The events.
 * @param onStart Told the response object of the first event that has one.
 */
export async function watch(
  events: AsyncIterable<unknown>,
  onStart: (response: unknown) => void = () => undefined,
): Promise<Watched> {
  const items = new Map<string, unknown>();
  let id: string | null = null;
  let status: string | null = null;
  for await (const value of events) {
    const event = Event.safeParse(value);
    if (!event.success) continue;
    const { type, item, response } = event.data;
    if (type === "response.output_item.done") keepBest(items, [item]);
    if (response === undefined) continue;
    if (id === null) onStart(response);
    id = response.id;
    status = response.status;
    if (isTerminal(status)) keepBest(items, response.output);
  }
  return { id, items: [...items.values()], status };
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
