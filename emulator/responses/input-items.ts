import * as z from "zod";
import { newItemId } from "./item-kinds.ts";
import { isToolOutput, type Item } from "./items.ts";

/** An input item as a client sends it. */
export const InputItemParam = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});
export type InputItemParam = z.infer<typeof InputItemParam>;

/** Converts the `input` of a create request to items with ids. */
export function toInputItems(input: string | InputItemParam[] | null | undefined): Item[] {
  if (input === undefined || input === null) return [];
  const params = typeof input === "string" ? [{ role: "user", content: input }] : input;
  return params.map(toInputItem);
}

/** Completes an item as the API returns it: with an id and a status, and with its content as parts. */
export function toInputItem(param: InputItemParam): Item {
  const type = param.type ?? "message";
  const id = param.id ?? newItemId(type);
  if (type !== "message") {
    const hasStatus = type === "function_call" || isToolOutput({ type });
    return { ...(hasStatus ? { status: "completed" } : {}), ...param, id, type };
  }
  const role = param.role ?? "user";
  const isAssistant = role === "assistant";
  const parts =
    typeof param.content === "string"
      ? [{ type: isAssistant ? "output_text" : "input_text", text: param.content }]
      : (param.content ?? []);
  const content = parts.map((part) =>
    part.type === "output_text" ? { annotations: [], logprobs: [], ...part } : part,
  );
  return { status: "completed", ...param, id, type, role, content };
}

const UserMessage = z.object({
  role: z.literal("user"),
  content: z.array(z.looseObject({ type: z.string() })),
});
const InputText = z.object({ type: z.literal("input_text"), text: z.string() });

/** The text of the last user message; empty if there is none. */
export function getLastUserText(items: Item[]): string {
  const messages = items.flatMap((item) => UserMessage.safeParse(item).data ?? []);
  const parts = messages.at(-1)?.content.flatMap((part) => InputText.safeParse(part).data ?? []);
  return (parts ?? []).map(({ text }) => text).join("\n");
}
