import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Env } from "../app.ts";
import { missing } from "../errors.ts";
import { newId, unix } from "../lib/ids.ts";
import { type Item, sight } from "../responses/items.ts";
import {
  check,
  checkInclude,
  given,
  InputItem,
  Metadata,
  OUTPUTS,
} from "../responses/create-params.ts";
import type { Conversation, State } from "../state.ts";
import { include, json, page } from "./body.ts";

const Items = z.array(InputItem).max(20);
const Create = z.strictObject({ items: Items.nullish(), metadata: Metadata.nullish() });
const Update = z.strictObject({ metadata: Metadata.nullable() });
const Add = z.strictObject({ items: Items });

/** `/v1/conversations`. */
export function conversations(state: State): Hono<Env> {
  return new Hono<Env>()
    .post("/", async (c) => {
      const { items, metadata } = check(Create, await json(c));
      const made: Conversation = {
        id: newId("conv"),
        createdAt: unix(),
        metadata: metadata ?? {},
        entries: (items ?? []).map((item) => ({ item: given(item), run: null })),
      };
      state.conversations.set(made.id, made);
      return c.json(shape(made));
    })
    .get("/:id", (c) => c.json(shape(find(state, c.req.param("id")))))
    .post("/:id", async (c) => {
      const conversation = find(state, c.req.param("id"));
      const { metadata } = check(Update, await json(c));
      conversation.metadata = metadata ?? {};
      return c.json(shape(conversation));
    })
    .delete("/:id", (c) => {
      const { id } = find(state, c.req.param("id"));
      state.conversations.delete(id);
      return c.json({ id, object: "conversation.deleted", deleted: true });
    })
    .get("/:id/items", (c) => c.json(page(c, seen(state, c, find(state, c.req.param("id"))))))
    .post("/:id/items", async (c) => {
      const conversation = find(state, c.req.param("id"));
      const items = check(Add, await json(c)).items.map(given);
      conversation.entries.push(...items.map((item) => ({ item, run: null })));
      return c.json({
        object: "list",
        data: items,
        first_id: items[0]?.id ?? null,
        last_id: items.at(-1)?.id ?? null,
        has_more: false,
      });
    })
    .get("/:id/items/:item", (c) => {
      const items = seen(state, c, find(state, c.req.param("id")));
      return c.json(pick(items, c.req.param("item")));
    })
    .delete("/:id/items/:item", (c) => {
      const conversation = find(state, c.req.param("id"));
      const { id } = pick(
        conversation.entries.map(({ item }) => item),
        c.req.param("item"),
      );
      conversation.entries = conversation.entries.filter(({ item }) => item.id !== id);
      return c.json(shape(conversation));
    });
}

function find(state: State, id: string): Conversation {
  const found = state.conversations.get(id);
  if (!found) throw missing("Conversation", id);
  return found;
}

function pick(items: Item[], id: string): Item {
  const found = items.find((item) => item.id === id);
  if (!found) throw missing("Item", id);
  return found;
}

/** The items as the one who asks may see them. */
function seen({ settings }: State, c: Context<Env>, { entries }: Conversation): Item[] {
  const included = checkInclude(include(c), { persisted: true }).has(OUTPUTS);
  const rule = settings.conversationOutputs;
  const stranger = sight({ included, background: false, rule, endedAt: null });
  return entries.map(({ item, run }) => (run ? run.sight(rule, included) : stranger)(item));
}

function shape({ id, createdAt, metadata }: Conversation) {
  return { id, object: "conversation", created_at: createdAt, metadata };
}
