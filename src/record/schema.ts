// The record: its shape, and the shapes of everything that changes it. The reducer applies the changes.
import * as z from "zod";
import { ResultState } from "./calls/item-kinds.ts";
import { Policy } from "./policy.ts";

/** How a response was observed. */
export const Channel = z.enum(["refetch", "stream", "conversation", "held", "control"]);
export type Channel = z.infer<typeof Channel>;

export const CallVerdict = z.enum([
  "captured",
  "recovered",
  "silent",
  "suspect",
  "lost",
  "unfinished",
]);
export type CallVerdict = z.infer<typeof CallVerdict>;

export const RunVerdict = z.enum([
  ...CallVerdict.options,
  "pending",
  "no_calls",
  "not_found",
  "gone",
  "abandoned",
]);
export type RunVerdict = z.infer<typeof RunVerdict>;

const ErrorInfo = z.object({ code: z.string(), message: z.string() });

/** One attempt to see a response, and what it showed. */
export const Observation = z.object({
  at: z.iso.datetime(),
  channel: Channel,
  http_status: z.number().nullable(),
  status: z.string().nullable(),
  request_id: z.string().nullable(),
  calls: z.array(z.object({ id: z.string(), outputs: ResultState })),
});
export type Observation = z.infer<typeof Observation>;

/** A webhook that was received. */
export const Webhook = z.object({
  id: z.string(),
  type: z.string(),
  received_at: z.iso.datetime(),
});
export type Webhook = z.infer<typeof Webhook>;

/** A call, as the API shows it: an output item of a kind whose result can be lost. */
const Call = z.object({
  id: z.string(),
  type: z.string(),
  /** OpenAI's; null where it has none. */
  status: z.string().nullable(),
  container_id: z.string().nullable(),
  /** What was asked, and what came. Their shapes depend on the type. */
  request: z.unknown(),
  result: z.unknown(),
  /** Of a code interpreter call its request and its result again, as OpenAI names them; else null. */
  code: z.string().nullable(),
  outputs: z.array(z.unknown()).nullable(),
  verdict: CallVerdict.nullable(),
  source: Channel.nullable(),
  /** What to know or to do about the call, in a sentence. */
  hint: z.string().nullable(),
});
export type Call = z.infer<typeof Call>;

/** A file of a container: `url` when it was copied, `reason` when it was not. */
export const FileEntry = z.object({
  id: z.string(),
  container_id: z.string(),
  filename: z.string(),
  bytes: z.number().nullable(),
  url: z.string().nullable(),
  reason: z.string().nullable(),
});
export type FileEntry = z.infer<typeof FileEntry>;

/** Whether a file that was found is still to be copied. */
export function shouldCopy(file: FileEntry): boolean {
  return file.reason === null || file.url !== null;
}

/** `status` is OpenAI's, or `not_run`, `interrupted`, `refused` or `unreachable`. */
const controlFields = { id: z.string().nullable(), status: z.string().nullable() };

/** The last attempt to report the run's end to NOTIFY_URL. */
export const Notification = z.object({
  at: z.iso.datetime(),
  status: z
    .number()
    .nullable()
    .describe("The receiver's HTTP status; null when it did not answer. 2xx: it was delivered"),
  next_at: z.iso
    .datetime()
    .nullable()
    .describe("When it is tried again; null when it was delivered, or given up"),
});
export type Notification = z.infer<typeof Notification>;

/** The record as the API shows it. */
export const ResponseRecord = z.object({
  id: z.string(),
  status: z.string().nullable(),
  /** When OpenAI showed that status: of a run in flight for the last time, of an end for the first. */
  status_at: z.iso.datetime().nullable(),
  verdict: RunVerdict,
  model: z.string().nullable(),
  background: z.boolean().nullable(),
  created_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  /** When the record was stored for the first time, and for the last. */
  recorded_at: z.iso.datetime().nullable(),
  updated_at: z.iso.datetime().nullable(),
  settled_at: z.iso.datetime().nullable(),
  /** When everything that is stored of the run is removed. It is fixed before anything is stored in KV. */
  expires_at: z.iso.datetime(),
  started_by: z.enum(["trigger", "webhook", "refetch", "v1"]),
  /** The values that refetches ask for. */
  include: z.array(z.string()),
  /** The caller's pairs; the recorder's own is left out. */
  metadata: z.record(z.string(), z.string()),
  request: z.record(z.string(), z.unknown()).nullable(),
  calls: z.array(Call),
  observations: z.array(Observation),
  webhook: Webhook.nullable(),
  files: z.array(FileEntry),
  control: z.object({ ...controlFields, calls: z.array(Call) }).nullable(),
  held: z.object({ broke_at: z.string().nullable() }).nullable(),
  /** Items that came over a connection, and that the response lacks; null when there are none. */
  partial: z.array(z.unknown()).nullable(),
  /** Null until the run's end was reported for the first time. */
  notification: Notification.nullable(),
  error: ErrorInfo.nullable(),
  response: z.record(z.string(), z.unknown()).nullable(),
});
export type ResponseRecord = z.infer<typeof ResponseRecord>;

/** A call as it is stored: its result stays in the response's body. */
export const StoredCall = Call.omit({ code: true, outputs: true, result: true }).extend({
  /** The code of a code interpreter call, else JSON. */
  request: z.string().nullable(),
  /** The record keeps only the beginning of the request. */
  request_cut: z.boolean().optional(),
  state: ResultState,
});
export type StoredCall = z.infer<typeof StoredCall>;

/** A control as it is stored: the same request with `background: false`. */
export const StoredControl = z.object({ ...controlFields, calls: z.array(StoredCall) });
export type StoredControl = z.infer<typeof StoredControl>;

/** The value of `held.broke_at` when nothing is left of the connection, so that the last event is not known. */
export const BREAK_UNKNOWN = "unknown";

/** A file that the response's text cites. */
export const FileCitation = z.object({
  id: z.string(),
  container_id: z.string(),
  filename: z.string(),
});
export type FileCitation = z.infer<typeof FileCitation>;

/** Whether a response's text cites files, and whether it cites URLs. */
export const Citations = z.object({ files: z.boolean(), urls: z.boolean() });
export type Citations = z.infer<typeof Citations>;

/** A stored body: SHA-256 in hexadecimal, and its size. */
export const StoredBody = z.object({ digest: z.string(), bytes: z.number() });
export type StoredBody = z.infer<typeof StoredBody>;

/** The tokens of a response, as OpenAI counted them. `cached` is a part of `input`, and `reasoning` of `output`. */
export const TokenUsage = z.object({
  input: z.number().int(),
  cached: z.number().int(),
  output: z.number().int(),
  reasoning: z.number().int(),
  total: z.number().int(),
});
export type TokenUsage = z.infer<typeof TokenUsage>;

/** Metadata key for the trigger's options. */
export const METADATA_KEY = "response_recorder";

/** The Connection of a run: `held` has its foreground stream, `followed` that of a background run. */
export const RunConnection = z.object({ id: z.string(), kind: z.enum(["held", "followed"]) });
export type RunConnection = z.infer<typeof RunConnection>;

/** What a trigger asked for, as far as it must outlive the request. */
export const TriggerOptions = z.object({
  include: z.array(z.string()),
  /** The response was created with `stream`, and its events are followed. */
  stream: z.boolean(),
  control: z.boolean(),
  /** The run is held: a foreground connection in place of a background run. */
  hold: z.boolean().default(false),
  /** Days to keep the record; null for the setting's. */
  retention_days: z.number().nullable().default(null),
});
export type TriggerOptions = z.infer<typeof TriggerOptions>;

/** Everything that is stored of a run except the response's body: the record, and what the schedule needs. */
export const StoredRecord = ResponseRecord.omit({
  calls: true,
  control: true,
  partial: true,
  response: true,
}).extend({
  calls: z.array(StoredCall),
  control: StoredControl.nullable(),
  status_at: ResponseRecord.shape.status_at.default(null),
  notification: ResponseRecord.shape.notification.default(null),
  /** The response was created with `background` and `stream`, so its events can be replayed. */
  streamed: z.boolean(),
  /** A control was requested and has not ended. */
  control_due: z.boolean(),
  /** The control's Connection. */
  control_connection: z.string().nullable(),
  /** The control's Connection is known to exist: it reports how the control ends. */
  control_opened: z.boolean(),
  /** Null when no stream of the run is read as it comes. */
  connection: RunConnection.nullable(),
  /** What the run's Connection brought was not read yet. */
  connection_due: z.boolean(),
  /** The error event with which OpenAI ended the connection. */
  connection_error: ErrorInfo.nullable(),
  /** The connection was closed here, by a cancel for example; it did not break. */
  connection_closed: z.boolean().optional(),
  /** The conversation that the response belongs to. */
  conversation: z.string().nullable(),
  /** The last items of the input of a run whose request is not known; null when they were not fetched. */
  input: z.array(z.unknown()).nullable(),
  /** The types of the run's tools; null while they are not known. */
  tools: z.array(z.string()).nullable(),
  /** The create's `include` values that a refetch was refused for. */
  refused_include: z.array(z.string()),
  /** What the response's text cites. */
  cites: Citations,
  /** The channel whose stored items are more than the response has. */
  partial_from: Channel.nullable(),
  /** The containers that the response used or cited. */
  containers: z.array(z.string()),
  cited_files: z.array(FileCitation),
  started_at: z.iso.datetime(),
  retention_days: TriggerOptions.shape.retention_days,
  /** The `store` that OpenAI answered with; null while unknown. */
  effective_store: z.boolean().nullable(),
  body: StoredBody.nullable(),
  /** Null while it is not known. */
  usage: TokenUsage.nullable().default(null),
  /** That body has no output items, though OpenAI counts tokens of its output. */
  body_lacks_items: z.boolean(),
  /** The last observation was refused for a reason that an early retry would not change. */
  refused: z.boolean(),
  retry_after_seconds: z.number().nullable(),
  /** An external response that is not recorded, by the setting. */
  excluded: z.boolean(),
  /** Our metadata is present, but the webhook arrived before the trigger's hand-over. */
  awaits_trigger: z.boolean().default(false),
  /** It is completed, and no answer had all of its items yet. */
  awaits_items: z.boolean(),
  /** The Recorder ran out of memory on the response's body too often: it is refetched only on request. */
  unreadable: z.boolean(),
});
export type StoredRecord = z.infer<typeof StoredRecord>;

/** What the storage needs to know of a record. */
export type RecordKey = Pick<StoredRecord, "id" | "retention_days" | "expires_at">;

/** What one response object says, its outputs only as states. */
export const ResponseFields = z.object({
  status: z.string(),
  model: z.string().nullable(),
  background: z.boolean().nullable(),
  store: z.boolean().nullable(),
  created_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  /** Null when the response's metadata is not ours. */
  options: TriggerOptions.nullable(),
  error: ErrorInfo.nullable(),
  /** The caller's pairs of the response's metadata. */
  metadata: ResponseRecord.shape.metadata,
  conversation: z.string().nullable(),
  containers: z.array(z.string()),
  cited_files: z.array(FileCitation),
  tools: StoredRecord.shape.tools,
  cites: Citations,
  usage: TokenUsage.nullable(),
  /** It has no output items, though OpenAI counts tokens of its output. */
  lacks_items: z.boolean(),
});
export type ResponseFields = z.infer<typeof ResponseFields>;

/** What an observation saw of one call. */
export const ObservedCall = StoredCall.omit({ verdict: true, source: true, hint: true });
export type ObservedCall = z.infer<typeof ObservedCall>;

/** What one observation brought. */
export const ObservationResult = z.object({
  observation: Observation,
  /** Null when no response object came. */
  fields: ResponseFields.nullable(),
  /** Null when no calls could be read. */
  calls: z.array(ObservedCall).nullable(),
  body: StoredBody.nullable(),
  error: ErrorInfo.nullable(),
  refused: z.boolean(),
  /** The `include` values that it was refused for. */
  refused_include: z.array(z.string()),
  retry_after_seconds: z.number().nullable(),
  /** The items of the response's input; null when they were not fetched. */
  input: z.array(z.unknown()).nullable(),
  /** It brought items that the response lacks. */
  partial: z.boolean(),
  /** Read from the run's Connection, which has ended. */
  from_connection: z.boolean(),
  /** Of a Connection: the event at which it broke; null when it ended normally. */
  broke_at: z.string().nullable(),
  /** Of a Connection: it was closed on request. */
  closed: z.boolean().optional(),
});
export type ObservationResult = z.infer<typeof ObservationResult>;

/** The result of an observation that brought nothing. */
export const NO_RESULT: Omit<ObservationResult, "observation"> = {
  fields: null,
  calls: null,
  body: null,
  error: null,
  refused: false,
  refused_include: [],
  input: null,
  partial: false,
  retry_after_seconds: null,
  from_connection: false,
  broke_at: null,
};

/** What came of a control. `observation` is null when it never ran. */
export const ControlResult = z.object({
  observation: Observation.nullable(),
  control: StoredControl,
});
export type ControlResult = z.infer<typeof ControlResult>;

/** What a Recorder is started with. */
export const RecorderParams = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  started_by: ResponseRecord.shape.started_by,
  policy: Policy,
  options: TriggerOptions.nullable(),
  /** The redacted request, when it is known. */
  request: ResponseRecord.shape.request,
  created: ResponseFields.pick({
    status: true,
    model: true,
    background: true,
    store: true,
    created_at: true,
  }).nullable(),
  webhook: Webhook.nullable(),
  /** The Connection of a control that is about to be opened. */
  control: z.string().nullable(),
  /** The run's own Connection. */
  connection: RunConnection.nullable(),
});
export type RecorderParams = z.infer<typeof RecorderParams>;

/**
 * Parameters for a Recorder with everything unknown that is not given.
 * @param given `at` in ISO 8601.
 */
export function toRecorderParams(
  given: Partial<RecorderParams> & Pick<RecorderParams, "id" | "at" | "started_by" | "policy">,
): RecorderParams {
  const unknown = {
    options: null,
    request: null,
    created: null,
    webhook: null,
    control: null,
    connection: null,
  };
  return { ...unknown, ...given };
}
