import { type Context, Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app.ts";
import { notFound } from "../errors.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import { type Item, createView } from "../responses/items.ts";
import {
  validate,
  parseInclude,
  toInputItem,
  InputItemParam,
  Metadata,
  OUTPUTS_INCLUDE,
} from "../responses/create-params.ts";
import type { Conversation, State } from "../state.ts";
import { getIncludeValues, parseJsonBody, paginate } from "./body.ts";

const InputItemParams = z.array(InputItemParam).max(20);
const CreateConversationParams = z.strictObject({
  items: InputItemParams.nullish(),
  metadata: Metadata.nullish(),
});
const UpdateConversationParams = z.strictObject({ metadata: Metadata.nullable() });
const AddItemsParams = z.strictObject({ items: InputItemParams });

/** `/v1/conversations`. */
export function conversationRoutes(state: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const { items, metadata } = validate(CreateConversationParams, await parseJsonBody(c));
      const made: Conversation = {
        id: newId("conv"),
        createdAt: toUnixSeconds(),
        metadata: metadata ?? {},
        entries: (items ?? []).map((item) => ({ item: toInputItem(item), run: null })),
      };
      state.conversations.set(made.id, made);
      return c.json(toConversation(made));
    })
    .get("/:id", (c) => c.json(toConversation(findConversation(state, c.req.param("id")))))
    .post("/:id", async (c) => {
      const conversation = findConversation(state, c.req.param("id"));
      const { metadata } = validate(UpdateConversationParams, await parseJsonBody(c));
      conversation.metadata = metadata ?? {};
      return c.json(toConversation(conversation));
    })
    .delete("/:id", (c) => {
      const { id } = findConversation(state, c.req.param("id"));
      state.conversations.delete(id);
      return c.json({ id, object: "conversation.deleted", deleted: true });
    })
    .get("/:id/items", (c) =>
      c.json(paginate(c, getVisibleItems(state, c, findConversation(state, c.req.param("id"))))),
    )
    .post("/:id/items", async (c) => {
      const conversation = findConversation(state, c.req.param("id"));
      const items = validate(AddItemsParams, await parseJsonBody(c)).items.map(toInputItem);
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
      const items = getVisibleItems(state, c, findConversation(state, c.req.param("id")));
      return c.json(findItem(items, c.req.param("item")));
    })
    .delete("/:id/items/:item", (c) => {
      const conversation = findConversation(state, c.req.param("id"));
      const { id } = findItem(
        conversation.entries.map(({ item }) => item),
        c.req.param("item"),
      );
      conversation.entries = conversation.entries.filter(({ item }) => item.id !== id);
      return c.json(toConversation(conversation));
    });
}

function findConversation(state: State, id: string): Conversation {
  const found = state.conversations.get(id);
  if (!found) throw notFound("Conversation", id);
  return found;
}

function findItem(items: Item[], id: string): Item {
  const found = items.find((item) => item.id === id);
  if (!found) throw notFound("Item", id);
  return found;
}

/** The items as the one who asks may see them. */
function getVisibleItems(
  { settings }: State,
  c: Context<AppEnv>,
  { entries }: Conversation,
): Item[] {
  const included = parseInclude(getIncludeValues(c), { persisted: true }).has(OUTPUTS_INCLUDE);
  const rule = settings.conversationOutputs;
  const stranger = createView({
    includesOutputs: included,
    background: false,
    outputsRule: rule,
    endedAt: null,
  });
  return entries.map(({ item, run }) => (run ? run.createView(rule, included) : stranger)(item));
}

function toConversation({ id, createdAt, metadata }: Conversation) {
  return { id, object: "conversation", created_at: createdAt, metadata };
}
