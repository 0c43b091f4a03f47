// Applies observations and events to the record. Pure: no I/O, no clock.
import type {
  Channel,
  ResponseFields,
  TriggerOptions,
  StoredRecord,
  StoredCall,
  StoredControl,
  ControlResult,
  ObservationResult,
  ObservedCall,
  RecorderParams,
  RecorderEvent,
} from "./schema.ts";
import { callerMetadata } from "./metadata.ts";
import { redactRequest } from "./redact.ts";
import { AUTHORITATIVE_CHANNELS, callVerdict, runVerdict } from "./verdict.ts";

/** OpenAI's statuses after which a response no longer changes. */
const TERMINAL_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);

/** The record of a run that was not observed yet. */
export function createRecord(params: RecorderParams): StoredRecord {
  const request =
    params.request ?? (params.control === null ? null : redactRequest(params.control));
  return {
    id: params.id,
    status: params.created?.status ?? null,
    verdict: "pending",
    model: params.created?.model ?? null,
    background: params.created?.background ?? null,
    created_at: params.created?.created_at ?? null,
    completed_at: null,
    recorded_at: null,
    settled_at: null,
    started_by: params.started_by,
    include: params.options?.include ?? [],
    metadata: callerMetadata(request?.["metadata"]),
    request,
    calls: [],
    observations: [],
    webhook: params.webhook,
    files: [],
    control: null,
    held: params.holder === null ? null : { broke_at: null },
    error: null,
    replay: params.options?.replay ?? false,
    control_due: params.control !== null,
    holder: params.holder,
    held_due: params.holder !== null,
    held_error: null,
    conversation: null,
    containers: [],
    cited_files: [],
    events_received: 0,
    last_event_at: null,
    refetch_requested: params.action === "refetch",
    started_at: params.at,
    retention_days: params.options?.retention_days ?? null,
    effective_store: params.created?.store ?? null,
    body: null,
    refused: false,
    retry_after_seconds: null,
    excluded: false,
    awaits_trigger: false,
  };
}

/** Whether a response with this status no longer changes. */
export function isTerminal(status: string | null): boolean {
  return status !== null && TERMINAL_STATUSES.has(status);
}

/** Applies an event that the Recorder received. Of several webhooks the record keeps the first. */
export function applyEvent(record: StoredRecord, event: RecorderEvent): StoredRecord {
  const received = { ...record, events_received: record.events_received + 1 };
  if (event.kind === "refetch") return { ...received, refetch_requested: true };
  if (event.kind === "control" || event.kind === "files" || event.kind === "held") {
    return { ...received, last_event_at: event.at ?? record.last_event_at };
  }
  if (event.kind === "webhook") {
    const { webhook } = event;
    return { ...received, webhook: record.webhook ?? webhook, last_event_at: webhook.received_at };
  }
  const ours = createRecord(event.params);
  // Nothing was stored while the response counted as excluded, so the record starts over.
  if (record.excluded) {
    return {
      ...ours,
      webhook: record.webhook,
      events_received: received.events_received,
      refetch_requested: true,
    };
  }
  return {
    ...received,
    started_by: ours.started_by,
    // The response exists, even if earlier observations were answered with 404.
    status: record.status ?? ours.status,
    model: record.model ?? ours.model,
    background: record.background ?? ours.background,
    created_at: record.created_at ?? ours.created_at,
    metadata: { ...ours.metadata, ...record.metadata },
    request: ours.request,
    include: ours.include,
    // Force an observation, so that the merged record is stored.
    refetch_requested: record.refetch_requested || isTerminal(record.status),
    awaits_trigger: false,
    replay: ours.replay,
    ...(record.holder === ours.holder ? {} : heldFields(ours)),
    retention_days: ours.retention_days,
    effective_store: record.effective_store ?? ours.effective_store,
  };
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
  const first = !isTerminal(record.status);
  const { channel } = result.observation;
  const observed: StoredRecord = {
    ...record,
    ...(channel === "held" ? closeConnection(result) : {}),
    observations: [...record.observations, result.observation],
    refetch_requested: false,
    awaits_trigger: false,
  };
  if (channel !== "refetch" && result.fields === null) {
    const error = result.error?.code === "too_large" ? result.error : record.error;
    return withVerdicts(mergeCalls({ ...observed, error }, result, first));
  }
  const answered: StoredRecord = {
    ...observed,
    error: first ? result.error : record.error,
    refused: result.refused,
    retry_after_seconds: result.retry_after_seconds,
  };
  if (result.fields === null) return withVerdicts(answered);
  return withVerdicts(
    mergeCalls(mergeResponse(answered, result.fields, result, recordExternal), result, first),
  );
}

function heldFields({
  holder,
  held,
  held_due,
}: StoredRecord): Pick<StoredRecord, "holder" | "held" | "held_due"> {
  return { holder, held, held_due };
}

// Clears `refused`: an error while the connection was open says nothing about the next fetch.
function closeConnection(
  result: ObservationResult,
): Pick<StoredRecord, "held" | "held_due" | "held_error" | "refused"> {
  const held = { broke_at: result.broke_at };
  return { held, held_due: false, held_error: result.error, refused: false };
}

/** Applies the end of the control. */
export function applyControl(record: StoredRecord, result: ControlResult): StoredRecord {
  const observations = result.observation === null ? [] : [result.observation];
  return withVerdicts({
    ...record,
    control: result.control,
    control_due: false,
    observations: [...record.observations, ...observations],
  });
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
    metadata: { ...record.metadata, ...fields.metadata },
    replay: record.replay || (options?.replay ?? false),
    retention_days: record.retention_days ?? options?.retention_days ?? null,
    control: record.control ?? controlNotRun(record, options),
    effective_store: fields.store ?? record.effective_store,
    conversation: fields.conversation ?? record.conversation,
    containers: ended ? union(record.containers, fields.containers) : record.containers,
    cited_files: ended ? fields.cited_files : record.cited_files,
    body: ended && !losesOutputs(record, result) ? (result.body ?? record.body) : record.body,
    error: result.error ?? fields.error ?? (fields.status === "failed" ? record.held_error : null),
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

// A body that lacks a call, or lacks outputs of the present body, must not replace it.
function losesOutputs(record: StoredRecord, result: ObservationResult): boolean {
  if (record.body === null) return false;
  const seen = new Map((result.calls ?? []).map((call) => [call.id, call.state]));
  return record.calls.some((call) => {
    const state = seen.get(call.id);
    const had =
      call.state === "populated" && call.source !== null && AUTHORITATIVE_CHANNELS.has(call.source);
    return state === undefined || (had && state !== "populated");
  });
}

function mergeCalls(record: StoredRecord, result: ObservationResult, first: boolean): StoredRecord {
  const { channel } = result.observation;
  const ended = isTerminal(result.fields?.status ?? record.status);
  // Calls from a held connection count before the end as well: OpenAI may never show them again.
  if (result.calls === null || !(ended || channel === "held")) return record;
  const plain = first && result.fields !== null;
  const known = new Map(
    record.calls.map((call) => [call.id, mergeCall(call, result.calls ?? [], channel, plain)]),
  );
  if (!AUTHORITATIVE_CHANNELS.has(channel)) return { ...record, calls: [...known.values()] };
  const seen = result.calls.map((call) => known.get(call.id) ?? toStoredCall(call, channel, plain));
  const gone = [...known.values()].filter((call) => !seen.includes(call));
  const calls = [...seen, ...gone];
  const used = calls.map((call) => call.container_id).filter((id) => id !== null);
  return { ...record, calls, containers: union(record.containers, used) };
}

function toStoredCall(call: ObservedCall, channel: Channel, first: boolean): StoredCall {
  const source = call.state === "populated" ? channel : null;
  return { ...call, source, verdict: callVerdict(call, source, first) };
}

function mergeCall(
  call: StoredCall,
  seen: ObservedCall[],
  channel: Channel,
  first: boolean,
): StoredCall {
  if (call.state === "populated") return call;
  const found = seen.find((other) => other.id === call.id);
  if (found?.state !== "populated") return { ...call, state: found?.state ?? call.state };
  return {
    ...call,
    state: found.state,
    source: channel,
    verdict: callVerdict(call, channel, first),
  };
}

function union(before: string[], more: string[]): string[] {
  return [...new Set([...before, ...more])];
}

function withVerdicts(record: StoredRecord): StoredRecord {
  const calls = record.calls.map((call, index) =>
    applyControlVerdict(call, record.control?.calls[index]),
  );
  return {
    ...record,
    calls,
    verdict: runVerdict({ ...record, calls }, isTerminal(record.status)),
  };
}

// A control proves a loss only by identical code at the same position.
function applyControlVerdict(call: StoredCall, control: StoredCall | undefined): StoredCall {
  if (call.verdict !== "suspect" || call.code === null) return call;
  if (control?.state !== "populated" || control.code !== call.code) return call;
  return { ...call, verdict: "lost" };
}
