import * as z from "zod";
import { newId } from "../lib/ids.ts";
import type { InputItem } from "./items.ts";

/** An input item as a client sends it. */
export const InputItemParam = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});
export type InputItemParam = z.infer<typeof InputItemParam>;

/** Converts the `input` of a create request to items with ids. */
export function toInputItems(input: string | InputItemParam[] | null | undefined): InputItem[] {
  if (input === undefined || input === null) return [];
  const params = typeof input === "string" ? [{ role: "user", content: input }] : input;
  return params.map(toInputItem);
}

/** Completes an item as the API returns it: with an id, and with its content as parts. */
export function toInputItem(param: InputItemParam): InputItem {
  const type = param.type ?? "message";
  if (type !== "message") return { ...param, id: param.id ?? newId("item"), type };
  const role = param.role ?? "user";
  const partType = role === "assistant" ? "output_text" : "input_text";
  const content =
    typeof param.content === "string"
      ? [{ type: partType, text: param.content }]
      : (param.content ?? []);
  return { status: "completed", ...param, id: param.id ?? newId("msg"), type, role, content };
}

const UserMessage = z.object({
  role: z.literal("user"),
  content: z.array(z.looseObject({ type: z.string() })),
});
const InputText = z.object({ type: z.literal("input_text"), text: z.string() });

/** The text of the last user message; empty if there is none. */
export function getLastUserText(items: InputItem[]): string {
  const messages = items.flatMap((item) => UserMessage.safeParse(item).data ?? []);
  const parts = messages.at(-1)?.content.flatMap((part) => InputText.safeParse(part).data ?? []);
  return (parts ?? []).map(({ text }) => text).join("\n");
}
