// The contract's schemas by name. The schemas that check requests and records are the ones that the contract shows.
import * as z from "zod";
import { CatalogRow } from "../objects/catalog/row.ts";
import { RESPONSE_ID } from "../openai/response.ts";
import { ResponseRecord } from "../record/schema.ts";
import { Flags } from "./create-params.ts";

const Trigger = z.looseObject({
  model: z.string().optional(),
  input: z.unknown().optional(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  include: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  ...Flags.shape,
});

const WebhookBody = z.looseObject({
  type: z.string(),
  data: z.looseObject({ id: z.string() }).nullish(),
});

/** The answer to a trigger. */
export const TriggerResult = z.object({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  result_url: z.url(),
});
export type TriggerResult = z.infer<typeof TriggerResult>;

/** Every schema of the contract. */
export const SCHEMAS = {
  Trigger,
  Started: TriggerResult,
  Record: ResponseRecord,
  List: z.object({ results: z.array(CatalogRow), cursor: z.string().nullable() }),
  Accepted: z.object({ id: z.string(), result_url: z.url() }),
  Cursor: z.object({ cursor: z.string().nullable() }),
  Webhook: WebhookBody,
  Received: z.object({ received: z.literal(true), recorded: z.boolean() }),
  Health: z.object({
    ready: z.boolean(),
    version: z.string(),
    settings: z.record(z.string(), z.boolean()),
  }),
  Error: z.object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      request_id: z.string().optional(),
      id: z.string().optional(),
    }),
  }),
};

export type SchemaName = keyof typeof SCHEMAS;
