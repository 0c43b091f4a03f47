// The shapes that the outside sees, by name. What checks requests and records is the same thing that is written down here.
import * as z from "zod";
import { ResponseRecord, ResponseVerdict } from "../record/schema.ts";
import { Flags } from "./create-params.ts";
import { Started } from "../http/routes/trigger.ts";

const Row = z.object({
  id: z.string(),
  status: z.string().nullable(),
  verdict: ResponseVerdict,
  model: z.string().nullable(),
  created_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  calls: z.number().int(),
  first_line: z.string(),
  held: z.boolean(),
});

const Trigger = z.looseObject({
  model: z.string().optional(),
  input: z.unknown().optional(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  include: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  ...Flags.shape,
});

const Webhook = z.looseObject({
  type: z.string(),
  data: z.looseObject({ id: z.string() }).nullish(),
});

/** Every shape of the contract. */
export const SHAPES = {
  Trigger,
  Started,
  Record: ResponseRecord,
  List: z.object({ results: z.array(Row), cursor: z.string().nullable() }),
  Accepted: z.object({ id: z.string(), result_url: z.url() }),
  Cursor: z.object({ cursor: z.string().nullable() }),
  Webhook,
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

export type Shape = keyof typeof SHAPES;
