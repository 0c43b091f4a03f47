// What OpenAI answers to a create, as far as the recorder looks at it.
import * as z from "zod";
import type { Start } from "../record/schema.ts";

/** A response id is also a Workflow instance's id: at most 100 of these characters. */
export const RESPONSE_ID = /^resp_[A-Za-z0-9_-]{1,95}$/;

export const Created = z.looseObject({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  model: z.string().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  created_at: z.number().nullish(),
});
export type Created = z.infer<typeof Created>;

/**
 * What a Recorder begins with.
 * @param created The response object.
 */
export function createdOf(created: Created): NonNullable<Start["created"]> {
  const at = created.created_at ? created.created_at * 1000 : Date.now();
  return {
    status: created.status,
    model: created.model ?? null,
    background: created.background ?? null,
    store: created.store ?? null,
    created_at: new Date(at).toISOString(),
  };
}
