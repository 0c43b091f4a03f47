// The record: its shape, and the shapes of what folds into it. How it folds stands in fold.ts.
import * as z from "zod";

export const Channel = z.enum(["refetch", "stream", "conversation", "held", "control"]);
export const CallVerdict = z.enum(["captured", "recovered", "silent", "suspect", "lost"]);
export const ResponseVerdict = z.enum([
  ...CallVerdict.options,
  "pending",
  "no_calls",
  "not_found",
  "abandoned",
]);
export const OutputState = z.enum(["populated", "empty", "null"]);

const Problem = z.object({ code: z.string(), message: z.string() });
const Seen = z.object({ id: z.string(), outputs: OutputState });

export const Observation = z.object({
  at: z.iso.datetime(),
  channel: Channel,
  http_status: z.number().nullable(),
  status: z.string().nullable(),
  request_id: z.string().nullable(),
  calls: z.array(Seen),
});

export const Webhook = z.object({
  id: z.string(),
  type: z.string(),
  received_at: z.iso.datetime(),
});

const Call = z.object({
  id: z.string(),
  container_id: z.string().nullable(),
  code: z.string().nullable(),
  outputs: z.array(z.unknown()).nullable(),
  verdict: CallVerdict.nullable(),
  source: Channel.nullable(),
});

/** A container's file: its url where it was kept, and the reason where it was not. */
export const KeptFile = z.object({
  id: z.string(),
  container_id: z.string(),
  filename: z.string(),
  bytes: z.number().nullable(),
  url: z.string().nullable(),
  reason: z.string().nullable(),
});

const Control = { id: z.string().nullable(), status: z.string().nullable() };

/** The record as the outside sees it. */
export const ResponseRecord = z.object({
  id: z.string(),
  status: z.string().nullable(),
  verdict: ResponseVerdict,
  model: z.string().nullable(),
  background: z.boolean().nullable(),
  created_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  recorded_at: z.iso.datetime().nullable(),
  settled_at: z.iso.datetime().nullable(),
  started_by: z.enum(["trigger", "webhook", "refetch", "v1"]),
  include: z.array(z.string()),
  request: z.record(z.string(), z.unknown()).nullable(),
  calls: z.array(Call),
  observations: z.array(Observation),
  webhook: Webhook.nullable(),
  files: z.array(KeptFile),
  /** Beside OpenAI's statuses: `not_run`, `interrupted` or `unreachable`. */
  control: z.object({ ...Control, calls: z.array(Call) }).nullable(),
  held: z.object({ broke_at: z.string().nullable() }).nullable(),
  error: Problem.nullable(),
  response: z.record(z.string(), z.unknown()).nullable(),
});

export type Channel = z.infer<typeof Channel>;
export type CallVerdict = z.infer<typeof CallVerdict>;
export type ResponseVerdict = z.infer<typeof ResponseVerdict>;
export type OutputState = z.infer<typeof OutputState>;
export type Observation = z.infer<typeof Observation>;
export type Webhook = z.infer<typeof Webhook>;
export type Call = z.infer<typeof Call>;
export type ResponseRecord = z.infer<typeof ResponseRecord>;

/** A call as the Recorder carries it: what it printed stays in the response's body. */
export const KnownCall = Call.omit({ outputs: true }).extend({ state: OutputState });

/** Where a connection was lost together with its Holder: nobody knows at which event. */
export const LOST = "unknown";

/** A file that the response's text cites. */
export const Citation = z.object({
  id: z.string(),
  container_id: z.string(),
  filename: z.string(),
});

/** A stored body: SHA-256 in hex, and bytes. */
export const Body = z.object({ digest: z.string(), bytes: z.number() });

/** A run of the same request in the foreground, without what it printed. */
export const KnownControl = z.object({ ...Control, calls: z.array(KnownCall) });

/** The key under which a trigger's wishes travel in the response's metadata. */
export const METADATA_KEY = "response_recorder";

/** What a caller's trigger asked for, as far as it must outlive the request. */
export const Intent = z.object({
  include: z.array(z.string()),
  replay: z.boolean(),
  control: z.boolean(),
  /** A connection is held until the run ends, in place of a background run. */
  hold: z.boolean().default(false),
  /** Days to keep it; null: as many as the setting says. */
  retention_days: z.number().nullable().default(null),
});

/** Everything known about a response but its body, and what planning needs. */
export const Known = ResponseRecord.omit({ calls: true, control: true, response: true }).extend({
  calls: z.array(KnownCall),
  control: KnownControl.nullable(),
  /** The response's events can be replayed: it was created with `stream`. */
  replay: z.boolean(),
  /** A control was asked for and hasn't ended. */
  control_due: z.boolean(),
  /** The Holder's instance, where a connection was held. */
  holder: z.string().nullable().default(null),
  /** The Holder hasn't said yet how its connection ended. */
  held_due: z.boolean().default(false),
  /** What OpenAI said when it ended the held connection by an error. */
  held_error: Problem.nullable().default(null),
  /** The conversation that the response belongs to. */
  conversation: z.string().nullable(),
  /** The containers that the response used or named. */
  containers: z.array(z.string()),
  /** Files that the response's text cites, by id. */
  cited: z.array(Citation),
  /** How often something woke the Recorder, and when a webhook did last. */
  wakes: z.number(),
  woken_at: z.iso.datetime().nullable(),
  /** Somebody asks for a look at once. */
  look_now: z.boolean(),
  started_at: z.iso.datetime(),
  retention_days: Intent.shape.retention_days,
  /** The `store` that OpenAI answered with; null while unknown. */
  effective_store: z.boolean().nullable(),
  body: Body.nullable(),
  /** The last look was refused for a reason that trying again soon won't mend. */
  refused: z.boolean(),
  /** Seconds that the last look was asked to wait. */
  retry_after: z.number().nullable(),
  /** A stranger's response that nobody wants recorded. */
  unwanted: z.boolean(),
  /** It is ours by its metadata, and its webhook was faster than its trigger. */
  awaits_trigger: z.boolean().default(false),
});

/** What one response object says, its outputs only as states. */
export const Facts = z.object({
  status: z.string(),
  model: z.string().nullable(),
  background: z.boolean().nullable(),
  store: z.boolean().nullable(),
  created_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  intent: Intent.nullable(),
  error: Problem.nullable(),
  conversation: z.string().nullable(),
  containers: z.array(z.string()),
  cited: z.array(Citation),
});

/** What was seen of one call. */
export const SeenCall = KnownCall.omit({ verdict: true, source: true });

/** What one look brought back. `facts` is null when there was no response object, `calls` when nothing could be read. */
export const Look = z.object({
  observation: Observation,
  facts: Facts.nullable(),
  calls: z.array(SeenCall).nullable(),
  body: Body.nullable(),
  error: Problem.nullable(),
  refused: z.boolean(),
  retry_after: z.number().nullable(),
  /** Only of a held connection: the event at which it broke, or null. */
  broke_at: z.string().nullable().default(null),
});

/** Settings that planning needs. They are fixed when a run begins, so that a deploy changes no run in flight. */
export const Rules = z.object({
  /** Seconds to wait for the webhook before looking without it. */
  deadline: z.number(),
  /** Seconds between looks after the end, while a call is suspect; the first counts from the end. */
  again: z.array(z.number()),
  /** False: a response that isn't ours ends unrecorded. */
  strangers: z.boolean(),
});
export type Rules = z.infer<typeof Rules>;

/** What an instance is created with. */
export const Start = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  started_by: ResponseRecord.shape.started_by,
  rules: Rules,
  intent: Intent.nullable(),
  request: ResponseRecord.shape.request,
  created: Facts.pick({
    status: true,
    model: true,
    background: true,
    store: true,
    created_at: true,
  }).nullable(),
  webhook: Webhook.nullable(),
  /** The request that the control sends; only where one was asked for. */
  control: z.record(z.string(), z.unknown()).nullable(),
  /** The Holder's instance, where a connection is held. */
  holder: z.string().nullable().default(null),
  /** After the end: look once more, or forget everything. */
  action: z.enum(["look", "delete"]).nullable(),
});

export type KeptFile = z.infer<typeof KeptFile>;
export type KnownControl = z.infer<typeof KnownControl>;
export type Citation = z.infer<typeof Citation>;
export type SeenCall = z.infer<typeof SeenCall>;
export type KnownCall = z.infer<typeof KnownCall>;
export type Body = z.infer<typeof Body>;
export type Known = z.infer<typeof Known>;
/** Whose it is that is stored, and how long it is kept. */
export type Owner = Pick<Known, "id" | "retention_days">;
export type Intent = z.infer<typeof Intent>;
export type Facts = z.infer<typeof Facts>;
export type Look = z.infer<typeof Look>;
export type Start = z.infer<typeof Start>;

/** What can wake a waiting Recorder; the payload of its Workflow event. */
export type Wake =
  | { kind: "webhook"; webhook: Webhook }
  | { kind: "trigger"; start: Start }
  | { kind: "look" }
  | { kind: "held"; at: string }
  /** What ran beside the looks has ended; `at` is null where nobody waited for it. */
  | { kind: "control"; at: string | null }
  | { kind: "files"; at: string | null };
