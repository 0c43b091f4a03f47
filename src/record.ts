// The record: its shape, and how what was observed folds into it. Pure: no I/O, no clock.
import { z } from "zod";
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
  files: z.array(
    z.object({
      id: z.string(),
      container_id: z.string(),
      filename: z.string(),
      bytes: z.number().nullable(),
      url: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  control: z
    .object({ id: z.string().nullable(), status: z.string().nullable(), calls: z.array(Call) })
    .nullable(),
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

/** A stored body: SHA-256 in hex, and bytes. */
export const Body = z.object({ digest: z.string(), bytes: z.number() });

/** Everything known about a response but its body, and what planning needs. */
export const Known = ResponseRecord.omit({ calls: true, response: true }).extend({
  calls: z.array(KnownCall),
  started_at: z.iso.datetime(),
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

/** What a caller's trigger asked for, as far as it must outlive the request. */
export const Intent = z.object({ include: z.array(z.string()) });

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
  calls: z.array(KnownCall.omit({ verdict: true, source: true })),
});

/** What one look brought back. `facts` is null when there was no response object to read. */
export const Look = z.object({
  observation: Observation,
  facts: Facts.nullable(),
  body: Body.nullable(),
  error: Problem.nullable(),
  refused: z.boolean(),
  retry_after: z.number().nullable(),
});

/** What an instance is created with. */
export const Start = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  started_by: ResponseRecord.shape.started_by,
  /** False: a response that isn't ours ends unrecorded. */
  strangers: z.boolean(),
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
});

export type KnownCall = z.infer<typeof KnownCall>;
export type Body = z.infer<typeof Body>;
export type Known = z.infer<typeof Known>;
export type Intent = z.infer<typeof Intent>;
export type Facts = z.infer<typeof Facts>;
export type Look = z.infer<typeof Look>;
export type Start = z.infer<typeof Start>;

/** What can wake a waiting Recorder; the payload of its Workflow event. */
export type Wake =
  | { kind: "webhook"; webhook: Webhook }
  | { kind: "trigger"; start: Start }
  | { kind: "look" };

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
    request: from.request,
    calls: [],
    observations: [],
    webhook: from.webhook,
    files: [],
    control: null,
    held: null,
    error: null,
    started_at: from.at,
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
  if (wake.kind === "webhook") return { ...record, webhook: record.webhook ?? wake.webhook };
  if (wake.kind === "trigger") {
    const { start } = wake;
    return {
      ...record,
      started_by: "trigger",
      request: start.request,
      include: start.intent?.include ?? record.include,
      effective_store: record.effective_store ?? start.created?.store ?? null,
    };
  }
  return record;
}

/**
 * Folds one look into the record. It never gets worse: outputs that an earlier look had stay, and so does a terminal status.
 * @param record What was known before.
 * @param look What the look brought back.
 * @param strangers Whether responses that aren't ours are recorded.
 */
export function fold(record: Known, look: Look, strangers = true): Known {
  const observed: Known = {
    ...record,
    observations: [...record.observations, look.observation],
    error: look.error ?? (isTerminal(record.status) ? record.error : null),
    refused: look.refused,
    retry_after: look.retry_after,
  };
  if (look.facts === null) return judged(observed);
  return judged(learn(observed, look.facts, look, strangers));
}

function learn(record: Known, facts: Facts, look: Look, strangers: boolean): Known {
  const first = !isTerminal(record.status);
  const ours = record.started_by !== "webhook" || facts.intent !== null || strangers;
  return {
    ...record,
    status: first ? facts.status : record.status,
    model: facts.model ?? record.model,
    background: facts.background ?? record.background,
    created_at: record.created_at ?? facts.created_at,
    completed_at: record.completed_at ?? facts.completed_at,
    include: record.include.length > 0 ? record.include : (facts.intent?.include ?? []),
    effective_store: facts.store ?? record.effective_store,
    calls: mergeCalls(record.calls, facts, look.observation.channel, first),
    body: isTerminal(facts.status) ? (look.body ?? record.body) : record.body,
    error: look.error ?? facts.error,
    unwanted: !ours,
  };
}

function mergeCalls(
  known: KnownCall[],
  facts: Facts,
  channel: Channel,
  first: boolean,
): KnownCall[] {
  if (!isTerminal(facts.status)) return known;
  const before = new Map(known.map((call) => [call.id, call]));
  const seen = facts.calls.map((call) => mergeCall(before.get(call.id), call, channel, first));
  const ids = new Set(facts.calls.map((call) => call.id));
  return [...seen, ...known.filter((call) => !ids.has(call.id))];
}

function mergeCall(
  before: KnownCall | undefined,
  call: Facts["calls"][number],
  channel: Channel,
  first: boolean,
): KnownCall {
  if (before?.state === "populated") return before;
  const source = call.state === "populated" ? channel : null;
  return { ...call, source, verdict: callVerdict(call, source, first) };
}

function judged(record: Known): Known {
  return { ...record, verdict: responseVerdict(record, isTerminal(record.status)) };
}
