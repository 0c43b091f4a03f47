// The record: its shape, and how what was observed folds into it. Pure: no I/O, no clock.
import { z } from "zod";
import { redact } from "./redact.ts";
import { callVerdict, responseVerdict } from "./verdict.ts";

/** OpenAI's statuses after which a response no longer changes. */
const TERMINAL = new Set(["completed", "failed", "cancelled", "incomplete"]);

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
  started_by: z.enum(["trigger", "webhook", "look", "v1"]),
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

/** What a caller's trigger asked for, as far as it must outlive the request. */
export const Intent = z.object({
  include: z.array(z.string()),
  replay: z.boolean(),
  control: z.boolean(),
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
  | { kind: "control" }
  | { kind: "files" };

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
    held: null,
    error: null,
    replay: from.intent?.replay ?? false,
    control_due: from.control !== null,
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
  if (wake.kind === "control" || wake.kind === "files") return woken;
  if (wake.kind === "webhook") {
    const { webhook } = wake;
    return { ...woken, webhook: record.webhook ?? webhook, woken_at: webhook.received_at };
  }
  const ours = begin(wake.start);
  return {
    ...woken,
    started_by: ours.started_by,
    request: ours.request,
    include: ours.include,
    replay: ours.replay,
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
  const observed: Known = {
    ...record,
    observations: [...record.observations, look.observation],
    look_now: false,
  };
  if (look.observation.channel !== "refetch") {
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
    containers: ended ? facts.containers : record.containers,
    cited: ended ? facts.cited : record.cited,
    body: ended && !forgets(record, look) ? (look.body ?? record.body) : record.body,
    error: look.error ?? facts.error,
    unwanted: record.started_by === "webhook" && intent === null && !strangers,
  };
}

// The Worker died between the create and the Recorder's start: what the control should have sent died with it.
function notRun(record: Known, intent: Intent | null): KnownControl | null {
  if (intent?.control !== true || record.control_due) return null;
  return { id: null, status: "not_run", calls: [] };
}

// A body that lacks a call, or outputs that an earlier body had, must not take its place.
function forgets(record: Known, look: Look): boolean {
  const seen = new Map((look.calls ?? []).map((call) => [call.id, call.state]));
  return record.calls.some((call) => {
    const state = seen.get(call.id);
    const had = call.state === "populated" && call.source === "refetch";
    return state === undefined || (had && state !== "populated");
  });
}

function learnCalls(record: Known, look: Look, first: boolean): Known {
  const ended = isTerminal(look.facts?.status ?? record.status);
  if (!ended || look.calls === null) return record;
  const { channel } = look.observation;
  if (record.calls.length === 0 && channel === "refetch") {
    return { ...record, calls: look.calls.map((call) => newCall(call, channel, first)) };
  }
  return {
    ...record,
    calls: record.calls.map((call) => better(call, look.calls ?? [], channel)),
  };
}

function newCall(call: SeenCall, channel: Channel, first: boolean): KnownCall {
  const source = call.state === "populated" ? channel : null;
  return { ...call, source, verdict: callVerdict(call, source, first) };
}

function better(call: KnownCall, seen: SeenCall[], channel: Channel): KnownCall {
  if (call.state === "populated") return call;
  const found = seen.find((other) => other.id === call.id);
  if (found?.state !== "populated") return { ...call, state: found?.state ?? call.state };
  return {
    ...call,
    state: found.state,
    source: channel,
    verdict: callVerdict(call, channel, false),
  };
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
