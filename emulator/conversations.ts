import { notFound } from "./errors.ts";
import type { Item } from "./responses/items.ts";
import type { Run } from "./responses/run.ts";

export interface Conversation {
  id: string;
  /** Unix seconds. */
  createdAt: number;
  metadata: Record<string, string>;
  /** Its items, each with the run that added it; null if a client did. */
  entries: { item: Item; run: Run | null }[];
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
