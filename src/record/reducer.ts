// Applies observations and events to the record. Pure: no I/O, no clock.
import type {
  ResponseFields,
  Observation,
  TriggerOptions,
  StoredRecord,
  StoredCall,
  StoredControl,
  ControlResult,
  ObservationResult,
  RecorderParams,
  Webhook,
} from "./schema.ts";
import { CODE_INTERPRETER } from "./calls/item-kinds.ts";
import { awaitsItems, losesItems } from "./observed/completeness.ts";
import { mergeCalls, union, withoutRepeated } from "./calls/merge-calls.ts";
import { toCustomMetadata } from "./request/metadata.ts";
import { judgeCalls } from "./calls/notebook.ts";
import { toExpiry } from "./policy.ts";
import { requestTools } from "./request/tools.ts";
import { isUnfinished, runVerdict } from "./verdict.ts";

/** Observations that a record lists. Of more, the first and the last halves are kept. */
const MAX_OBSERVATIONS = 1_000;

/** OpenAI's statuses after which a response no longer changes. */
const TERMINAL_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);

/** The record of a run that was not observed yet. */
export function createRecord(params: RecorderParams): StoredRecord {
  return {
    id: params.id,
    status: params.created?.status ?? null,
    status_at: params.created === null ? null : params.at,
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
    notification: null,
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
    usage: null,
    body_lacks_items: false,
    refused: false,
    retry_after_seconds: null,
    excluded: false,
    awaits_trigger: false,
    awaits_items: false,
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
    status_at: record.status === null ? ours.status_at : record.status_at,
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
    const error = isWorthKeeping(record, result) ? result.error : record.error;
    const hasEnded = isTerminal(record.status);
    return withVerdicts(mergeCalls({ ...observed, error }, result, hasEnded, first));
  }
  const answered: StoredRecord = {
    ...observed,
    error: first ? tellError(record, result) : record.error,
    refused: result.refused,
    refused_include: union(record.refused_include, result.refused_include),
    retry_after_seconds: result.retry_after_seconds,
  };
  if (result.fields === null) return withVerdicts(answered);
  const merged = mergeResponse(answered, result.fields, result, recordExternal);
  const hasEnded = isTerminal(result.fields.status);
  const isFirstEnd = hasEnded && !isTerminal(record.status);
  const known = isFirstEnd ? withoutRepeated(merged, result) : merged;
  return withVerdicts(mergeCalls(known, result, hasEnded, first));
}

// What OpenAI said when it ended the connection is the last that is known of a run in flight.
function isWorthKeeping({ status }: StoredRecord, result: ObservationResult): boolean {
  if (result.error?.code === "too_large") return true;
  return result.from_connection && result.error !== null && !isTerminal(status);
}

// It says more than the 404s after it.
function tellError(record: StoredRecord, { observation, error }: ObservationResult) {
  return observation.http_status === 404 ? (record.connection_error ?? error) : error;
}

function connectionFields({
  connection,
  held,
  connection_due,
}: StoredRecord): Pick<StoredRecord, "connection" | "held" | "connection_due"> {
  return { connection, held, connection_due };
}

// A refetch may see the end before the held connection is read; the reading still counts as the first observation.
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
  const isBack = record.verdict === "not_found" || record.verdict === "gone";
  const { options } = fields;
  return {
    ...record,
    ...(isTerminal(record.status)
      ? {}
      : { status: fields.status, status_at: result.observation.at }),
    // A run that was given up is observed again when its end appears, or when it was missing.
    settled_at: (ended && !isTerminal(record.status)) || isBack ? null : record.settled_at,
    model: fields.model ?? record.model,
    background: fields.background ?? record.background,
    created_at: record.created_at ?? fields.created_at,
    completed_at: record.completed_at ?? fields.completed_at,
    include: record.include.length > 0 ? record.include : (options?.include ?? []),
    verdict: isBack ? "pending" : record.verdict,
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
    usage: fields.usage ?? record.usage,
    ...(ended && !losesItems(record, result) ? toBody(fields, result) : {}),
    error:
      result.error ?? fields.error ?? (fields.status === "failed" ? record.connection_error : null),
    excluded: record.started_by === "webhook" && options === null && !recordExternal,
    awaits_items: awaitsItems(record, result, !isTerminal(record.status)),
    awaits_trigger:
      !isTerminal(record.status) && record.started_by === "webhook" && options !== null,
  };
}

function toBody(
  { lacks_items }: ResponseFields,
  { body }: ObservationResult,
): Partial<StoredRecord> {
  return body === null ? {} : { body, body_lacks_items: lacks_items };
}

// The Worker died between the create and the Recorder's start, so the request that the control would have sent is lost.
function controlNotRun(record: StoredRecord, options: TriggerOptions | null): StoredControl | null {
  if (options?.control !== true || record.control_due) return null;
  return { id: null, status: "not_run", calls: [] };
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
