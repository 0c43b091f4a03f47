import { notFound } from "./errors.ts";
import type { Item } from "./responses/items.ts";
import type { Run } from "./responses/run.ts";
import { type Channel, createClientView } from "./responses/visibility.ts";

export interface Conversation {
  id: string;
  /** Unix seconds. */
  createdAt: number;
  metadata: Record<string, string>;
  entries: Entry[];
}

/** An item of a model's context. */
export interface Entry {
  item: Item;
  /** The run whose output it is; null if a client sent it. */
  run: Run | null;
}

/** What a run adds to the context of later ones: its input and its output. */
export function toEntries(run: Run): Entry[] {
  const input = run.input.map((item) => ({ item, run: null }));
  return [...input, ...run.output.map((item) => ({ item, run }))];
}

/** The entries' items as a client sees them. */
export function toVisibleItems(
  entries: readonly Entry[],
  channel: Channel,
  included: ReadonlySet<string>,
): Item[] {
  const clientView = createClientView(included);
  return entries.flatMap(({ item, run }) => {
    const view = run?.createView(channel, included) ?? clientView;
    return view(item) ?? [];
  });
}

/** Returns a conversation; throws the API's 404 for an unknown id. */
export function findConversation(
  conversations: ReadonlyMap<string, Conversation>,
  id: string,
): Conversation {
  const conversation = conversations.get(id);
  if (!conversation) throw notFound("Conversation", id);
  return conversation;
}
