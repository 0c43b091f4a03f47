import { type Context, Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { type Conversation, findConversation, toVisibleItems } from "../conversations.ts";
import { notFound } from "../errors.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import { Metadata } from "../responses/create-params.ts";
import { parseIncludeQuery } from "../responses/include.ts";
import { InputItemParam, toInputItem } from "../responses/input-items.ts";
import type { Item } from "../responses/items.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseJsonBody } from "./body.ts";
import { paginate, toPage } from "./page.ts";

const ItemParams = z.array(InputItemParam).max(20);
const CreateConversationParams = z.strictObject({
  items: ItemParams.nullish(),
  metadata: Metadata.nullish(),
});
const UpdateConversationParams = z.strictObject({ metadata: Metadata.nullable() });
const CreateItemsParams = z.strictObject({ items: ItemParams });

/** `/v1/conversations`. */
export function conversationRoutes({ settings, conversations }: State): Hono<AppEnv> {
  const find = (id: string) => findConversation(conversations, id);

  /** The conversation's items as the client of this request sees them. */
  const getVisibleItems = (c: Context<AppEnv>, { entries }: Conversation): Item[] => {
    const { refusedInclude: refused } = settings;
    const included = parseIncludeQuery(c, { persisted: true, refused });
    return toVisibleItems(entries, "conversation", included);
  };

  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const { items, metadata } = validate(CreateConversationParams, await parseJsonBody(c));
      const conversation: Conversation = {
        id: newId("conv"),
        createdAt: toUnixSeconds(),
        metadata: metadata ?? {},
        entries: (items ?? []).map((item) => ({ item: toInputItem(item), run: null })),
      };
      conversations.set(conversation.id, conversation);
      return c.json(toConversation(conversation));
    })
    .get("/:id", (c) => c.json(toConversation(find(c.req.param("id")))))
    .post("/:id", async (c) => {
      const conversation = find(c.req.param("id"));
      const { metadata } = validate(UpdateConversationParams, await parseJsonBody(c));
      conversation.metadata = metadata ?? {};
      return c.json(toConversation(conversation));
    })
    .delete("/:id", (c) => {
      const { id } = find(c.req.param("id"));
      conversations.delete(id);
      return c.json({ id, object: "conversation.deleted", deleted: true });
    })
    .get("/:id/items", (c) => c.json(paginate(c, getVisibleItems(c, find(c.req.param("id"))))))
    .post("/:id/items", async (c) => {
      const conversation = find(c.req.param("id"));
      const params = validate(CreateItemsParams, await parseJsonBody(c));
      const items = params.items.map(toInputItem);
      conversation.entries.push(...items.map((item) => ({ item, run: null })));
      return c.json(toPage(items, { hasMore: false }));
    })
    .get("/:id/items/:item", (c) => {
      const items = getVisibleItems(c, find(c.req.param("id")));
      return c.json(findItem(items, c.req.param("item")));
    })
    .delete("/:id/items/:item", (c) => {
      const conversation = find(c.req.param("id"));
      const items = conversation.entries.map(({ item }) => item);
      const { id } = findItem(items, c.req.param("item"));
      conversation.entries = conversation.entries.filter(({ item }) => item.id !== id);
      return c.json(toConversation(conversation));
    });
}

function findItem(items: Item[], id: string): Item {
  const item = items.find((candidate) => candidate.id === id);
  if (!item) throw notFound("Item", id);
  return item;
}

function toConversation({ id, createdAt, metadata }: Conversation) {
  return { id, object: "conversation", created_at: createdAt, metadata };
}
