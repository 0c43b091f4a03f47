// How what was observed folds into the record. Pure: no I/O, no clock.
import type {
  Channel,
  Facts,
  Intent,
  Known,
  KnownCall,
  KnownControl,
  Look,
  Observation,
  SeenCall,
  Start,
  Wake,
} from "./schema.ts";
import { redact } from "./redact.ts";
import { callVerdict, responseVerdict } from "./verdict.ts";

/** OpenAI's statuses after which a response no longer changes. */
const TERMINAL = new Set(["completed", "failed", "cancelled", "incomplete"]);

/**
 * The record of a response nobody has looked at yet.
 * @param from What the instance was created with.
 */
export function begin(from: Start): Known {
  return {
    id: from.id,
    status: from.created?.status ?? null,
    verdict: "pending",
    model: from.created?.model ?? null,
    background: from.created?.background ?? null,
    created_at: from.created?.created_at ?? null,
    completed_at: null,
    recorded_at: null,
    settled_at: null,
    started_by: from.started_by,
    include: from.intent?.include ?? [],
    request: from.request ?? (from.control === null ? null : redact(from.control)),
    calls: [],
    observations: [],
    webhook: from.webhook,
    files: [],
    control: null,
    held: from.holder === null ? null : { broke_at: null },
    error: null,
    replay: from.intent?.replay ?? false,
    control_due: from.control !== null,
    holder: from.holder,
    held_due: from.holder !== null,
    held_error: null,
    conversation: null,
    containers: [],
    cited: [],
    wakes: 0,
    woken_at: null,
    look_now: from.action === "look",
    started_at: from.at,
    retention_days: from.intent?.retention_days ?? null,
    effective_store: from.created?.store ?? null,
    body: null,
    refused: false,
    retry_after: null,
    unwanted: false,
    awaits_trigger: false,
  };
}

/** Whether a status is one that OpenAI doesn't leave again. */
export function isTerminal(status: string | null): boolean {
  return status !== null && TERMINAL.has(status);
}

/**
 * Folds what woke the Recorder into the record. The first webhook stays.
 * @param record What was known.
 * @param wake The event's payload.
 */
export function foldWake(record: Known, wake: Wake): Known {
  const woken = { ...record, wakes: record.wakes + 1 };
  if (wake.kind === "look") return { ...woken, look_now: true };
  if (wake.kind === "control" || wake.kind === "files" || wake.kind === "held") {
    return { ...woken, woken_at: wake.at ?? record.woken_at };
  }
  if (wake.kind === "webhook") {
    const { webhook } = wake;
    return { ...woken, webhook: record.webhook ?? webhook, woken_at: webhook.received_at };
  }
  const ours = begin(wake.start);
  // What was seen while nobody wanted it is stored nowhere.
  if (record.unwanted) {
    return { ...ours, webhook: record.webhook, wakes: woken.wakes, look_now: true };
  }
  return {
    ...woken,
    started_by: ours.started_by,
    // It was created, whatever the looks before found.
    status: record.status ?? ours.status,
    model: record.model ?? ours.model,
    background: record.background ?? ours.background,
    created_at: record.created_at ?? ours.created_at,
    request: ours.request,
    include: ours.include,
    // A look stores what the record has got.
    look_now: record.look_now || isTerminal(record.status),
    awaits_trigger: false,
    replay: ours.replay,
    ...(record.holder === ours.holder ? {} : heldBy(ours)),
    retention_days: ours.retention_days,
    effective_store: record.effective_store ?? ours.effective_store,
  };
}

/**
 * Folds one look into the record. It never gets worse: outputs that an earlier look had stay, and so does a terminal status.
 * @param record What was known before.
 * @param look What the look brought back.
 * @param strangers Whether responses that aren't ours are recorded.
 */
export function fold(record: Known, look: Look, strangers = true): Known {
  const first = !isTerminal(record.status);
  const { channel } = look.observation;
  const observed: Known = {
    ...record,
    ...(channel === "held" ? letGo(look) : {}),
    observations: [...record.observations, look.observation],
    look_now: false,
    awaits_trigger: false,
  };
  if (channel !== "refetch" && look.facts === null) {
    const error = look.error?.code === "too_large" ? look.error : record.error;
    return judged(learnCalls({ ...observed, error }, look, first));
  }
  const answered: Known = {
    ...observed,
    error: first ? look.error : record.error,
    refused: look.refused,
    retry_after: look.retry_after,
  };
  if (look.facts === null) return judged(answered);
  return judged(learnCalls(learn(answered, look.facts, look, strangers), look, first));
}

function heldBy({ holder, held, held_due }: Known): Pick<Known, "holder" | "held" | "held_due"> {
  return { holder, held, held_due };
}

// What refused a look beside the connection may not refuse the next: how it ended is asked soon.
function letGo(look: Look): Pick<Known, "held" | "held_due" | "held_error" | "refused"> {
  const held = { broke_at: look.broke_at };
  return { held, held_due: false, held_error: look.error, refused: false };
}

/**
 * Folds the control's end into the record.
 * @param record What was known before.
 * @param ran What the control observed, and what is known of it.
 */
export function foldControl(
  record: Known,
  ran: { observation: Observation | null; control: KnownControl },
): Known {
  const observations = ran.observation === null ? [] : [ran.observation];
  return judged({
    ...record,
    control: ran.control,
    control_due: false,
    observations: [...record.observations, ...observations],
  });
}

function learn(record: Known, facts: Facts, look: Look, strangers: boolean): Known {
  const ended = isTerminal(facts.status);
  const { intent } = facts;
  return {
    ...record,
    status: isTerminal(record.status) ? record.status : facts.status,
    // An end that comes after a run was given up is looked into like any other.
    settled_at: ended && !isTerminal(record.status) ? null : record.settled_at,
    model: facts.model ?? record.model,
    background: facts.background ?? record.background,
    created_at: record.created_at ?? facts.created_at,
    completed_at: record.completed_at ?? facts.completed_at,
    include: record.include.length > 0 ? record.include : (intent?.include ?? []),
    replay: record.replay || (intent?.replay ?? false),
    retention_days: record.retention_days ?? intent?.retention_days ?? null,
    control: record.control ?? notRun(record, intent),
    effective_store: facts.store ?? record.effective_store,
    conversation: facts.conversation ?? record.conversation,
    containers: ended ? union(record.containers, facts.containers) : record.containers,
    cited: ended ? facts.cited : record.cited,
    body: ended && !forgets(record, look) ? (look.body ?? record.body) : record.body,
    error: look.error ?? facts.error ?? (facts.status === "failed" ? record.held_error : null),
    unwanted: record.started_by === "webhook" && intent === null && !strangers,
    awaits_trigger:
      !isTerminal(record.status) && record.started_by === "webhook" && intent !== null,
  };
}

// The Worker died between the create and the Recorder's start: what the control should have sent died with it.
function notRun(record: Known, intent: Intent | null): KnownControl | null {
  if (intent?.control !== true || record.control_due) return null;
  return { id: null, status: "not_run", calls: [] };
}

// A body that lacks a call, or outputs that an earlier body had, must not take its place.
function forgets(record: Known, look: Look): boolean {
  if (record.body === null) return false;
  const seen = new Map((look.calls ?? []).map((call) => [call.id, call.state]));
  return record.calls.some((call) => {
    const state = seen.get(call.id);
    const had = call.state === "populated" && call.source !== null && showsAll(call.source);
    return state === undefined || (had && state !== "populated");
  });
}

/** Whether a channel shows a response's whole output; the others only fill in what is missing. */
function showsAll(channel: Channel): boolean {
  return channel === "refetch" || channel === "held";
}

function learnCalls(record: Known, look: Look, first: boolean): Known {
  const { channel } = look.observation;
  const ended = isTerminal(look.facts?.status ?? record.status);
  // What a held connection brought before it broke counts before the end, too: it may never be shown again.
  if (look.calls === null || !(ended || channel === "held")) return record;
  const plain = first && look.facts !== null;
  const known = new Map(
    record.calls.map((call) => [call.id, better(call, look.calls ?? [], channel, plain)]),
  );
  if (!showsAll(channel)) return { ...record, calls: [...known.values()] };
  const seen = look.calls.map((call) => known.get(call.id) ?? newCall(call, channel, plain));
  const gone = [...known.values()].filter((call) => !seen.includes(call));
  const calls = [...seen, ...gone];
  const used = calls.map((call) => call.container_id).filter((id) => id !== null);
  return { ...record, calls, containers: union(record.containers, used) };
}

function newCall(call: SeenCall, channel: Channel, first: boolean): KnownCall {
  const source = call.state === "populated" ? channel : null;
  return { ...call, source, verdict: callVerdict(call, source, first) };
}

function better(call: KnownCall, seen: SeenCall[], channel: Channel, first: boolean): KnownCall {
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

function judged(record: Known): Known {
  const calls = record.calls.map((call, index) => proven(call, record.control?.calls[index]));
  return {
    ...record,
    calls,
    verdict: responseVerdict({ ...record, calls }, isTerminal(record.status)),
  };
}

// A control proves a loss only by identical code at the same position.
function proven(call: KnownCall, control: KnownCall | undefined): KnownCall {
  if (call.verdict !== "suspect" || call.code === null) return call;
  if (control?.state !== "populated" || control.code !== call.code) return call;
  return { ...call, verdict: "lost" };
}
