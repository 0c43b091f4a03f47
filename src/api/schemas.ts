// The contract's schemas by name. The schemas that check requests and records are the ones that the contract shows.
import * as z from "zod";
import { ERROR_CODES } from "../errors.ts";
import { CatalogRow, UnreadableRow } from "../objects/catalog/row.ts";
import { RESPONSE_ID } from "../openai/response.ts";
import { Channel, ResponseRecord, RunVerdict } from "../record/schema.ts";
import { ProgressEntry } from "../record/state.ts";
import { HealthChecks } from "./answers/health.ts";
import { Stats } from "./answers/stats.ts";
import { Flags } from "./create-params.ts";

const { control, hold, stream, retention_days } = Flags.shape;

/** The recorder's flags, with what each of them does. */
const DescribedFlags = {
  control: control.describe(
    "Runs the same request with `background: false` as well, for comparison. It is billed a second time. `control_not_comparable` (400) for a request that continues another response or a conversation, names a container, or has tools that act",
  ),
  hold: hold.describe(
    "Sends the request with `background: false` and reads its stream to the end, so that its outputs are there. A restart by Cloudflare ends the connection, and OpenAI may end the run with it. Not with `control` or `stream`",
  ),
  stream: stream.describe(
    "Follows the events of the background run: its status is live, and every item that is done is kept",
  ),
  retention_days: retention_days.describe(
    "Keeps the record for so many days in place of RETENTION_DAYS",
  ),
};

const Trigger = z.looseObject({
  model: z.string().optional(),
  input: z.unknown().optional(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  include: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  ...DescribedFlags,
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

/** An event of a run, as those who follow it get it. */
export const RunStep = z.object({
  kind: z
    .enum([...ProgressEntry.shape.type.options, "waiting"])
    .describe("What happened. `waiting`: nothing is under way, and the text says what comes next"),
  channel: Channel.nullable().describe("Of an observation, or of what was waited for"),
  status: z.string().nullable().describe("The run's, by OpenAI, when the event was sent"),
  verdict: RunVerdict.nullable().describe("The run's when the event was sent"),
  at: z.iso.datetime(),
  stage: z.number().int().describe("From 1: created, waiting for the end, observing, settled"),
  tone: z.enum(["good", "warn", "bad", "neutral", "busy"]),
  text: z.string(),
  changed: z.boolean().describe("Whether the record changed"),
});
export type RunStep = z.infer<typeof RunStep>;

const CODES = ERROR_CODES.map((code) => `\`${code}\``).join(", ");

/** Which settings are in place, and with `deep=1` what the checks found. */
const Health = z.object({
  ready: z.boolean(),
  version: z.string(),
  settings: z.record(z.string(), z.boolean()),
  checks: HealthChecks.optional(),
});
export type Health = z.infer<typeof Health>;

/** Every schema of the contract. */
export const SCHEMAS = {
  Trigger,
  Started: TriggerResult,
  Record: ResponseRecord,
  List: z.object({
    results: z.array(z.union([CatalogRow, UnreadableRow])),
    cursor: z.string().nullable(),
  }),
  Stats,
  RebuiltPage: z.object({
    listed: z.number().int().describe("The records of this page that are listed"),
    failed: z.array(z.string()).describe("The ids of those that could not be listed"),
    cursor: z.string().nullable().describe("Of the next page; null after the last"),
  }),
  Accepted: z.object({ id: z.string(), result_url: z.url() }),
  RunStep,
  Unreadable: UnreadableRow,
  Cursor: z.object({ cursor: z.string().nullable() }),
  Webhook: WebhookBody,
  Received: z.object({ received: z.literal(true), recorded: z.boolean() }),
  Health,
  Error: z.object({
    error: z.object({
      code: z
        .string()
        .describe(`OpenAI's own where its refusal passes through, or one of ${CODES}`),
      message: z.string().describe("What is wrong, and what to do"),
      request_id: z.string().describe("OpenAI's").optional(),
      id: z.string().describe("The response's").optional(),
    }),
  }),
};

export type SchemaName = keyof typeof SCHEMAS;
