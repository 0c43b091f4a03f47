// Applies observations and events to the record. Pure: no I/O, no clock.
import type {
  Channel,
  ResponseFields,
  Observation,
  TriggerOptions,
  StoredRecord,
  StoredCall,
  StoredControl,
  ControlResult,
  ObservationResult,
  ObservedCall,
  RecorderParams,
  Webhook,
} from "./schema.ts";
import { CODE_INTERPRETER } from "./item-kinds.ts";
import { toCustomMetadata } from "./metadata.ts";
import { judgeCalls } from "./notebook.ts";
import { toExpiry } from "./policy.ts";
import { requestTools } from "./tools.ts";
import { isFurther, isUnfinished, outputsVerdict, runVerdict } from "./verdict.ts";

/** Observations that a record lists. Of more, the first and the last halves are kept. */
const MAX_OBSERVATIONS = 1_000;

/** Channels that show a response object, so that the outputs may be in the stored body. */
const BODY_CHANNELS: ReadonlySet<Channel> = new Set(["refetch", "stream", "held"]);

/** OpenAI's statuses after which a response no longer changes. */
const TERMINAL_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);

/** The record of a run that was not observed yet. */
export function createRecord(params: RecorderParams): StoredRecord {
  return {
    id: params.id,
    status: params.created?.status ?? null,
    verdict: "pending",
    model: params.created?.model ?? null,
    background: params.created?.background ?? null,
    created_at: params.created?.created_at ?? null,
    completed_at: null,
    recorded_at: null,
    updated_at: null,
    settled_at: null,
    started_by: params.started_by,
    include: params.options?.include ?? [],
    input: null,
    tools: requestTools(params.request),
    refused_include: [],
    cites: { files: false, urls: false },
    partial_from: null,
    request: params.request,
    calls: [],
    observations: [],
    webhook: params.webhook,
    files: [],
    control: null,
    held: params.connection?.kind === "held" ? { broke_at: null } : null,
    error: null,
    streamed: params.options?.stream ?? false,
    control_due: params.control !== null,
    control_connection: params.control,
    control_opened: false,
    connection: params.connection,
    connection_due: params.connection !== null,
    connection_error: null,
    conversation: null,
    containers: [],
    cited_files: [],
    started_at: params.at,
    expires_at: toExpiry(params.at, params.options?.retention_days ?? null, params.policy),
    metadata: toCustomMetadata(params.request?.["metadata"]),
    retention_days: params.options?.retention_days ?? null,
    effective_store: params.created?.store ?? null,
    body: null,
    refused: false,
    retry_after_seconds: null,
    excluded: false,
    awaits_trigger: false,
    unreadable: false,
  };
}

/** Whether a response with this status no longer changes. */
export function isTerminal(status: string | null): boolean {
  return status !== null && TERMINAL_STATUSES.has(status);
}

/** Applies a webhook. Of several, the record keeps the first. */
export function applyWebhook(record: StoredRecord, webhook: Webhook): StoredRecord {
  return record.webhook === null ? { ...record, webhook } : record;
}

/** Applies the start of a run that was known already, because its webhook, or the end of its connection, was faster. */
export function applyStart(record: StoredRecord, params: RecorderParams): StoredRecord {
  const ours = createRecord(params);
  return withVerdicts({
    ...record,
    started_by: ours.started_by,
    // The response exists, even if earlier observations were answered with 404.
    status: record.status ?? ours.status,
    model: record.model ?? ours.model,
    background: record.background ?? ours.background,
    created_at: record.created_at ?? ours.created_at,
    request: ours.request ?? record.request,
    calls: judgeCalls(record.calls, { ...record, request: ours.request ?? record.request }),
    include: ours.include.length > 0 ? ours.include : record.include,
    tools: record.tools ?? ours.tools,
    metadata: { ...ours.metadata, ...record.metadata },
    awaits_trigger: false,
    streamed: record.streamed || ours.streamed,
    ...(record.connection === null ? connectionFields(ours) : {}),
    ...(ours.control_due ? controlFields(record, ours) : {}),
    retention_days: record.retention_days ?? ours.retention_days,
    effective_store: record.effective_store ?? ours.effective_store,
  });
}

// A control that was thought not to have run is running.
function controlFields(
  { control, control_due }: StoredRecord,
  { control_connection }: StoredRecord,
): Pick<StoredRecord, "control" | "control_due" | "control_connection"> {
  if (control?.status === "not_run") {
    return { control: null, control_due: true, control_connection };
  }
  return { control, control_due: control === null || control_due, control_connection };
}

/**
 * Applies one observation. The record never gets worse: outputs that an earlier observation had stay, and so does a terminal status.
 * @param recordExternal Whether external responses are recorded.
 */
export function applyObservation(
  record: StoredRecord,
  result: ObservationResult,
  recordExternal = true,
): StoredRecord {
  const first = !isTerminal(record.status) || isFirstReading(record, result);
  const { channel } = result.observation;
  const observed: StoredRecord = {
    ...record,
    ...(result.from_connection ? closeConnection(record, result) : {}),
    observations: addObservation(record.observations, result.observation),
    awaits_trigger: false,
    partial_from: result.partial ? channel : record.partial_from,
    // What a broken connection brought says nothing of the body that could not be read.
    unreadable: result.from_connection && result.fields === null ? record.unreadable : false,
  };
  if (channel !== "refetch" && result.fields === null) {
    const error = result.error?.code === "too_large" ? result.error : record.error;
    return withVerdicts(mergeCalls({ ...observed, error }, result, first));
  }
  const answered: StoredRecord = {
    ...observed,
    error: first ? result.error : record.error,
    refused: result.refused,
    refused_include: union(record.refused_include, result.refused_include),
    retry_after_seconds: result.retry_after_seconds,
  };
  if (result.fields === null) return withVerdicts(answered);
  return withVerdicts(
    mergeCalls(mergeResponse(answered, result.fields, result, recordExternal), result, first),
  );
}

function connectionFields({
  connection,
  held,
  connection_due,
}: StoredRecord): Pick<StoredRecord, "connection" | "held" | "connection_due"> {
  return { connection, held, connection_due };
}

// A refetch may see the end before the held connection is read; the reading counts as the first observation all the same.
function isFirstReading(
  { held, observations }: StoredRecord,
  { from_connection }: ObservationResult,
): boolean {
  return from_connection && held !== null && observations.every((seen) => seen.channel !== "held");
}

// Clears what the last fetch was refused with: an error while the connection was open says nothing about the next one.
function closeConnection(
  { held }: StoredRecord,
  { broke_at, error, closed }: ObservationResult,
): Partial<StoredRecord> {
  const next = { refused: false, retry_after_seconds: null };
  return {
    held: held === null ? null : { broke_at },
    connection_due: false,
    connection_error: error,
    ...(closed === true ? { connection_closed: true } : {}),
    ...next,
  };
}

/** Applies the end of the control. */
export function applyControl(record: StoredRecord, result: ControlResult): StoredRecord {
  const { observations } = record;
  return withVerdicts({
    ...record,
    control: result.control,
    control_due: false,
    observations:
      result.observation === null ? observations : addObservation(observations, result.observation),
  });
}

function addObservation(observations: Observation[], observation: Observation): Observation[] {
  if (observations.length < MAX_OBSERVATIONS) return [...observations, observation];
  const half = MAX_OBSERVATIONS / 2;
  return [...observations.slice(0, half), ...observations.slice(half + 1), observation];
}

function mergeResponse(
  record: StoredRecord,
  fields: ResponseFields,
  result: ObservationResult,
  recordExternal: boolean,
): StoredRecord {
  const ended = isTerminal(fields.status);
  const { options } = fields;
  return {
    ...record,
    status: isTerminal(record.status) ? record.status : fields.status,
    // A run that was settled as abandoned is observed again when its end appears.
    settled_at: ended && !isTerminal(record.status) ? null : record.settled_at,
    model: fields.model ?? record.model,
    background: fields.background ?? record.background,
    created_at: record.created_at ?? fields.created_at,
    completed_at: record.completed_at ?? fields.completed_at,
    include: record.include.length > 0 ? record.include : (options?.include ?? []),
    verdict: record.verdict === "not_found" ? "pending" : record.verdict,
    metadata: fields.metadata,
    streamed: record.streamed || (options?.stream ?? false),
    retention_days: record.retention_days ?? options?.retention_days ?? null,
    control: record.control ?? controlNotRun(record, options),
    effective_store: fields.store ?? record.effective_store,
    conversation: fields.conversation ?? record.conversation,
    containers: ended ? union(record.containers, fields.containers) : record.containers,
    cited_files: ended ? fields.cited_files : record.cited_files,
    input: result.input ?? record.input,
    tools: fields.tools ?? record.tools,
    cites: ended ? fields.cites : record.cites,
    body: ended && !losesOutputs(record, result) ? (result.body ?? record.body) : record.body,
    error:
      result.error ?? fields.error ?? (fields.status === "failed" ? record.connection_error : null),
    excluded: record.started_by === "webhook" && options === null && !recordExternal,
    awaits_trigger:
      !isTerminal(record.status) && record.started_by === "webhook" && options !== null,
  };
}

// The Worker died between the create and the Recorder's start, so the request that the control would have sent is lost.
function controlNotRun(record: StoredRecord, options: TriggerOptions | null): StoredControl | null {
  if (options?.control !== true || record.control_due) return null;
  return { id: null, status: "not_run", calls: [] };
}

// A body that lacks a call, or lacks outputs of the present body, must not replace it. The outputs of a Connection can stand in its items alone.
function losesOutputs(record: StoredRecord, result: ObservationResult): boolean {
  if (record.body === null) return false;
  const seen = new Map((result.calls ?? []).map((call) => [call.id, call.state]));
  return record.calls.some((call) => {
    const state = seen.get(call.id);
    const had =
      call.state === "populated" && call.source !== null && BODY_CHANNELS.has(call.source);
    return state === undefined || (had && (state !== "populated" || result.from_connection));
  });
}

function mergeCalls(record: StoredRecord, result: ObservationResult, first: boolean): StoredRecord {
  const { channel } = result.observation;
  const ended = isTerminal(result.fields?.status ?? record.status);
  // Calls from a connection count before the end as well: OpenAI may never show them again.
  if (result.calls === null || !(ended || result.from_connection)) return record;
  const plain = first && result.fields !== null;
  const known = new Map(
    record.calls.map((call) => [call.id, mergeCall(call, result.calls ?? [], channel, plain)]),
  );
  // What came without its response object, and not from the run itself, only fills in what is missing.
  if (result.fields === null && !result.from_connection) {
    return { ...record, calls: judgeNewCalls([...known.values()], record) };
  }
  const seen = result.calls.map((call) => known.get(call.id) ?? toStoredCall(call, channel, plain));
  const gone = [...known.values()].filter((call) => !seen.includes(call));
  const calls = judgeNewCalls([...seen, ...gone], record);
  const used = calls.map((call) => call.container_id).filter((id) => id !== null);
  return { ...record, calls, containers: union(record.containers, used) };
}

function toStoredCall(call: ObservedCall, channel: Channel, first: boolean): StoredCall {
  const source = call.state === "populated" ? channel : null;
  const verdict = source === null ? null : outputsVerdict(source, first);
  return { ...call, source, verdict, hint: null };
}

// The code of a call that is news is read together with that of the calls before it.
function judgeNewCalls(calls: StoredCall[], record: StoredRecord): StoredCall[] {
  return calls.some((call) => call.verdict === null) ? judgeCalls(calls, record) : calls;
}

function mergeCall(
  call: StoredCall,
  seen: ObservedCall[],
  channel: Channel,
  first: boolean,
): StoredCall {
  const found = seen.find((other) => other.id === call.id);
  if (found === undefined) return call;
  const known = isNews(found, call) ? applyNews(call, found) : call;
  if (call.state === "populated") return known;
  if (found.state !== "populated") return { ...known, state: found.state };
  return {
    ...known,
    state: found.state,
    source: channel,
    verdict: outputsVerdict(channel, first),
    hint: null,
  };
}

// A call that is seen while it runs can have no code yet, or only the beginning.
function isNews(seen: ObservedCall, { status, request }: StoredCall): boolean {
  return isFurther(seen.status, status) || (request === null && seen.request !== null);
}

function applyNews(call: StoredCall, seen: ObservedCall): StoredCall {
  const { request_cut: _, ...known } = call;
  const { request, request_cut } = seen.request === null ? call : seen;
  const isJudged = call.source !== null || call.verdict === "lost";
  return {
    ...known,
    status: isFurther(seen.status, call.status) ? seen.status : call.status,
    container_id: seen.container_id ?? call.container_id,
    request,
    ...(request_cut === true ? { request_cut } : {}),
    verdict: isJudged ? call.verdict : null,
  };
}

function union(before: string[], more: string[]): string[] {
  return [...new Set([...before, ...more])];
}

function withVerdicts(record: StoredRecord): StoredRecord {
  const proven = hasFinishedControl(record)
    ? countIdentical(record.calls, record.control?.calls ?? [])
    : 0;
  const calls = record.calls.map((call, index) =>
    index < proven ? applyControlVerdict(call, record.control?.calls[index]) : call,
  );
  return {
    ...record,
    calls,
    verdict: runVerdict({ ...record, calls }, isTerminal(record.status)),
  };
}

// Calls of a response that was cut off may have been cut off, too.
function hasFinishedControl({ status, control }: StoredRecord): boolean {
  return status === "completed" && control?.status === "completed";
}

// How many calls at the beginning are identical, and finished in both runs: what a call shows depends on all calls before it. Code that was cut can differ in the rest.
function countIdentical(calls: StoredCall[], others: StoredCall[]): number {
  const first = calls.findIndex((call, index) => {
    const other = others[index];
    const isSame = other?.type === call.type && other.request === call.request;
    return !isSame || !isWhole(call) || !isWhole(other);
  });
  return first === -1 ? calls.length : first;
}

// Calls of old responses have no status. Both responses are completed, and OpenAI completes none whose calls still run.
function isWhole(call: StoredCall): boolean {
  // Unknown code proves nothing; the call of a picture need not say what was asked.
  const isKnown = call.request !== null || call.type !== CODE_INTERPRETER.type;
  return isKnown && call.request_cut !== true && !isUnfinished(call);
}

// A control proves a loss only by identical calls up to this one, whatever a reading of the code says.
function applyControlVerdict(call: StoredCall, control: StoredCall | undefined): StoredCall {
  if (call.source !== null || control?.state !== "populated") return call;
  return { ...call, verdict: "lost", hint: null };
}
