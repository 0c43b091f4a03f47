// What a Recorder stores of its run: the record, the effect under way, and what is left to do. Pure.
// Moments that end in `_ms` are milliseconds since 1970; the record's own times are ISO 8601.
import * as z from "zod";
import { Limits, Policy } from "./policy.ts";
import { isUnrecorded } from "./schedule.ts";
import { Channel, FileEntry, StoredRecord } from "./schema.ts";

/** The version of the stored state. A later version reads the states of the version before. */
export const STATE_VERSION = 1;

/** A value in KV that belongs to a run. */
export const KvKey = z.discriminatedUnion("type", [
  z.object({ type: z.literal("record") }),
  z.object({ type: z.literal("outputs"), channel: Channel }),
  z.object({ type: z.literal("file"), file_id: z.string() }),
]);
export type KvKey = z.infer<typeof KvKey>;

/** Attempts in a row that came to nothing, and the moment before which there is no other. */
const retryFields = { attempts: z.number(), not_before_ms: z.number() };

/** The effect under way. */
export const Running = z.object({
  /** Its result must carry this number; the result of another turn is ignored. */
  turn: z.number(),
  type: z.enum([
    "erase",
    "observe",
    "store_record",
    "store_outputs",
    "find_files",
    "copy_file",
    "list",
    "unlist",
    "notify",
  ]),
  began_ms: z.number(),
  /** Until when it may take. After that it counts as dead. */
  until_ms: z.number(),
  /** Of an observation, and of outputs that are stored. */
  channel: Channel.nullable(),
  /** Of an observation: whether it reads a Connection. */
  from_connection: z.boolean(),
  /** Whether somebody asked for the observation. */
  requested: z.boolean(),
  /** Of an observation: a reader waits, and its status is all that is wanted. */
  is_status_check: z.boolean().default(false),
  /** The record's revision when the effect began. */
  revision: z.number(),
  /** Of a row for the Catalog: its `due`. */
  due_ms: z.number().nullable(),
  /** Of a search for files: the containers. */
  containers: z.array(z.string()),
});
export type Running = z.infer<typeof Running>;

/** Something that happened to a run, for those who follow it. */
export const ProgressEntry = z.object({
  /** Counts from 1 without gaps. */
  seq: z.number(),
  at: z.iso.datetime(),
  type: z.enum([
    "started",
    "webhook",
    "refetch_requested",
    "cancel_requested",
    /** An event of the run's stream, or a status check, showed a new status. */
    "status_seen",
    "connection_ended",
    "control_ended",
    "observing",
    /** The record's observation with this channel and this `at` says what it showed. */
    "observed",
    "failed",
    "finding_files",
    "files_found",
    "file_copied",
    "files_done",
    "stored",
    "settled",
    "reopened",
  ]),
  channel: Channel.nullable(),
});
export type ProgressEntry = z.infer<typeof ProgressEntry>;

const commonFields = {
  version: z.literal(STATE_VERSION),
  turn: z.number(),
  running: Running.nullable(),
  /** Whether the memory knows of a write to KV that storage doesn't: true in memory only. */
  unsaved: z.boolean(),
  /** The alarm that was set last; null when it fired. */
  alarm_at_ms: z.number().nullable(),
};

/** A run, from its start until it expires or is deleted. */
export const RunState = z.object({
  ...commonFields,
  kind: z.literal("run"),
  record: StoredRecord,
  policy: Policy,
  /** Counts the changes of the record that are worth storing. */
  revision: z.number(),
  observation: z.object({
    ...retryFields,
    /** An event calls for an observation now. A requested one follows even after the end. */
    now: z.enum(["event", "requested"]).nullable(),
    /** The run's Connection has ended: what it brought is to be read now. */
    connection: z.boolean(),
    /** The same of the control's Connection. */
    control: z.boolean(),
    /** Attempts in a row that reached a large body. Each was counted before the body was parsed. */
    large_bodies: z.number(),
  }),
  kv: z.object({
    ...retryFields,
    /** The revision that KV has; null when it has no record. */
    record_revision: z.number().nullable(),
    body_digest: z.string().nullable(),
    /** What was written, or was about to be: deletes and reads use only these. */
    keys: z.array(KvKey),
  }),
  /** Bytes in the object's own storage. */
  rows: z.object({
    body_digest: z.string().nullable(),
    outputs: z.array(Channel),
    /** Channels whose outputs KV lacks. */
    unstored_outputs: z.array(Channel),
    /** When all rows are dropped; null while KV lacks something. */
    drop_at_ms: z.number().nullable(),
  }),
  files: z.object({
    ...retryFields,
    /** Containers that were searched. */
    searched: z.array(z.string()),
    queue: z.array(FileEntry),
    done: z.array(FileEntry),
    /** Containers whose list was empty. */
    empty: z.array(z.string()).default([]),
    /** Containers that could not be listed, or one of whose files could not be copied: a refetch tries again. */
    failed: z.array(z.string()).default([]),
  }),
  catalog: z.object({
    ...retryFields,
    /** The version of the last upsert that was sent; null when there is no row. */
    version: z.number().nullable(),
    /** The revision that the Catalog has confirmed. */
    listed_revision: z.number().nullable(),
    due_ms: z.number().nullable(),
  }),
  /** The report of the run's end to NOTIFY_URL; null before the first attempt. */
  notification: z
    .object({
      ...retryFields,
      /** When the first attempt began. */
      since_ms: z.number(),
      /** It was delivered, or given up. */
      is_over: z.boolean(),
    })
    .nullable()
    .default(null),
  /** The moment before which no status check begins. */
  status_check_ms: z.number().default(0),
  progress: z.array(ProgressEntry),
});
export type RunState = z.infer<typeof RunState>;

/** What is left of a run that was deleted, or that expired. It refuses reads and ignores webhooks. */
export const GoneState = z.object({
  ...commonFields,
  kind: z.enum(["deleted", "expired"]),
  id: z.string(),
  started_at: z.iso.datetime(),
  limits: Limits,
  gone_at_ms: z.number(),
  keys: z.array(KvKey),
  /** The run's Connections that may still exist. */
  connections: z.array(z.string()),
  /** How often keys and Connections were erased: of 2 when deleted, of 1 when expired with Connections, because KV's values expire by themselves. */
  erased: z.number(),
  /** The version of the Catalog's row; null when it is removed. */
  catalog_version: z.number().nullable(),
  ...retryFields,
});
export type GoneState = z.infer<typeof GoneState>;

/** What a Recorder stores. An object whose state is null is empty. */
export const State = z.discriminatedUnion("kind", [RunState, GoneState]);
export type State = z.infer<typeof State>;

/** Whether reads find the run: neither deleted nor expired, nor an external response that leaves no record. */
export function isKnown(state: State | null): state is RunState {
  return state?.kind === "run" && !isUnrecorded(state.record);
}

/** Whether the record can be read as a result: its end was seen, or was given up. */
export function isReadable(state: State | null): boolean {
  return isKnown(state) && state.record.verdict !== "pending";
}

/** Whether no observation is planned any more. */
export function isSettled(state: State | null): boolean {
  return isKnown(state) && isQuiet(state);
}

/** The same, also for a response that leaves no record. */
export function isQuiet({ record, observation, running }: RunState): boolean {
  const isObserving = running?.type === "observe";
  const isPlanned = observation.now !== null || observation.connection || observation.control;
  return record.settled_at !== null && !isPlanned && !isObserving;
}

/** Whether KV, or the object's own rows, hold the body that the record describes. */
export function bodySource({ record, rows, kv }: RunState): "rows" | "kv" | "none" {
  if (record.body === null) return "none";
  if (rows.body_digest === record.body.digest) return "rows";
  return kv.body_digest === record.body.digest ? "kv" : "none";
}

/** The containers of an ended run that were not searched for files yet. */
export function unsearchedContainers({ record, files }: RunState): string[] {
  return record.containers.filter((id) => !files.searched.includes(id));
}
