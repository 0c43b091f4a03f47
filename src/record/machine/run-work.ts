// What a run has to do, and from which moment on. Pure.
import { begin, type Work } from "./begin-effect.ts";
import { addProgress, clearAttempts, toIso } from "./run-state.ts";
import { notificationType, toNotificationEvent } from "../notification.ts";
import { connectionChannel } from "../observed/observations.ts";
import { isListed, isStorable, isUnrecorded, nextAction } from "../schedule.ts";
import type { Channel, StoredRecord } from "../schema.ts";
import { bodySource, isQuiet, unsearchedContainers, type KvKey, type RunState } from "../state.ts";

/** A row is overdue this long after the moment that it was planned for, and this part of the run's age. */
const OVERDUE_GRACE_MS = 300_000;
const OVERDUE_SHARE_OF_AGE = 0.5;

/** A run's work, in the order in which it is done. */
export function listRunWork(state: RunState): (Work | null)[] {
  return [
    observationWork(state),
    recordWork(state),
    outputsWork(state),
    filesWork(state),
    // Until it is listed again, the row's due time stands, which covers a lost alarm.
    notificationWork(state),
    catalogWork(state),
  ];
}

function observationWork(state: RunState): Work | null {
  const planned = plannedObservation(state);
  if (planned === null) return null;
  const { channel, connection, requested } = planned;
  const atMs = Math.max(planned.atMs, state.observation.not_before_ms);
  return {
    atMs,
    begin: (now) => {
      const observation = withoutReason(state.observation, planned);
      const next = { ...state, observation };
      // A control is a run of its own: what its Connection brings is no observation of this one.
      const begun =
        channel === "control" ? next : addProgress(next, "observing", toIso(now), channel);
      const checksBody = requested && bodySource(state) === "kv";
      const { record } = state;
      const effect = { type: "observe" as const, channel, connection, record, checksBody };
      const details = { channel, from_connection: connection !== null, requested };
      return begin(begun, now, "observe", details, effect);
    },
  };
}

/** When the run's next observation is due; 0 while one is under way, null when none is planned. */
export function nextObservationMs(state: RunState): number | null {
  if (state.running?.type === "observe") return 0;
  return observationWork(state)?.atMs ?? null;
}

type PlannedObservation = {
  channel: Channel;
  connection: string | null;
  requested: boolean;
  atMs: number;
};

function plannedObservation({ observation, record, policy }: RunState): PlannedObservation | null {
  const now = { connection: null, requested: false, atMs: 0 };
  const isRefetchFirst = observation.now !== null && record.connection?.kind === "followed";
  if (observation.connection && !isRefetchFirst) {
    return {
      ...now,
      channel: connectionChannel(record),
      connection: record.connection?.id ?? null,
    };
  }
  if (observation.now !== null) {
    return { ...now, channel: "refetch", requested: observation.now === "requested" };
  }
  if (observation.control) {
    return { ...now, channel: "control", connection: record.control_connection };
  }
  const action = nextAction(record, policy);
  if (action.type !== "observe") return null;
  const { channel, atMs } = action;
  return { channel, connection: readConnection(record, channel), requested: false, atMs };
}

// Until the run's Connection was read, no other channel is planned but the refetch.
function readConnection(record: StoredRecord, channel: Channel): string | null {
  if (channel === "control") return record.control_connection;
  return channel !== "refetch" && record.connection_due ? (record.connection?.id ?? null) : null;
}

function withoutReason(
  observation: RunState["observation"],
  { channel, connection }: PlannedObservation,
): RunState["observation"] {
  if (channel === "control") return { ...observation, control: false };
  return connection === null
    ? { ...observation, now: null }
    : { ...observation, connection: false };
}

// KV gets the record at its end, and once more when everything that changes it has been done.
function recordWork(state: RunState): Work | null {
  const { kv, record, revision } = state;
  if (!isStorable(record) || kv.record_revision === revision) return null;
  if (kv.record_revision !== null && !(isQuiet(state) && hasAllFiles(state))) return null;
  return {
    atMs: kv.not_before_ms,
    begin: (now) => {
      const next = withKey(state, { type: "record" });
      const effect = { type: "store_record" as const, record, body: bodySource(state) };
      return begin(next, now, "store_record", {}, effect);
    },
  };
}

function outputsWork(state: RunState): Work | null {
  const { kv, rows, record } = state;
  const [channel] = rows.unstored_outputs;
  // Before the end is seen, the rows are enough: a response can still turn out to be none of ours.
  if (channel === undefined || !isStorable(record)) return null;
  return {
    atMs: kv.not_before_ms,
    begin: (now) => {
      const isAddition = kv.keys.some((key) => key.type === "outputs" && key.channel === channel);
      const next = withKey(state, { type: "outputs", channel });
      const effect = { type: "store_outputs" as const, channel, record, isAddition };
      return begin(next, now, "store_outputs", { channel }, effect);
    },
  };
}

function filesWork(state: RunState): Work | null {
  const { files, record } = state;
  if (!isStorable(record)) return null;
  const [file] = files.queue;
  const containers = unsearchedContainers(state);
  if (file === undefined && containers.length === 0) return null;
  return {
    atMs: files.not_before_ms,
    begin: (now) => {
      if (file !== undefined) {
        const next = withKey(state, { type: "file", file_id: file.id });
        return begin(next, now, "copy_file", {}, { type: "copy_file", file, record });
      }
      const effect = { type: "find_files" as const, record: { ...record, containers } };
      const next = addProgress(state, "finding_files", toIso(now));
      return begin(next, now, "find_files", { containers }, effect);
    },
  };
}

function hasAllFiles(state: RunState): boolean {
  return state.files.queue.length === 0 && unsearchedContainers(state).length === 0;
}

function catalogWork(state: RunState): Work | null {
  const { record, catalog } = state;
  if (isUnrecorded(record)) return catalog.version === null ? null : unlistWork(state);
  // A response that was never seen has a row only while it is observed, so that a lost alarm is noticed.
  if (!isListed(record) && record.observations.length === 0) return null;
  const nextMs = nextRunMoment(state);
  const isCurrent = catalog.listed_revision === state.revision;
  const isOnTime = catalog.due_ms !== null && catalog.due_ms >= nextMs;
  if (isCurrent && isOnTime) return null;
  return {
    atMs: catalog.not_before_ms,
    begin: (now) => {
      const version = Math.max((catalog.version ?? 0) + 1, now);
      const dueMs = dueMoment(state, Math.max(nextMs, now));
      const next = { ...state, catalog: { ...catalog, version } };
      const isFirst = catalog.listed_revision === null;
      const effect = { type: "list" as const, record, version, dueMs, isFirst };
      return begin(next, now, "list", { due_ms: dueMs }, effect);
    },
  };
}

function unlistWork(state: RunState): Work {
  const { catalog, record } = state;
  return {
    atMs: catalog.not_before_ms,
    begin: (now) => {
      const version = Math.max((catalog.version ?? 0) + 1, now);
      const next = { ...state, catalog: { ...catalog, version } };
      const { id, started_at: startedAt } = record;
      return begin(next, now, "unlist", {}, { type: "unlist", id, startedAt, version });
    },
  };
}

function notificationWork(state: RunState): Work | null {
  const { record, policy, notification } = state;
  if (policy.notify === undefined || notification?.is_over === true) return null;
  const { origin } = policy.notify;
  const type = notificationType(record);
  if (type === null) return null;
  return {
    atMs: notification?.not_before_ms ?? 0,
    begin: (now) => {
      const begun = notification ?? { ...clearAttempts(), since_ms: now, is_over: false };
      const event = toNotificationEvent(record, type, origin, begun.since_ms);
      const next = { ...state, notification: begun };
      return begin(next, now, "notify", {}, { type: "notify", record, event });
    },
  };
}

/** The next moment at which a run has something to do that a lost alarm would delay; when only its expiry is left, that. */
export function nextRunMoment(state: RunState): number {
  const work = [
    observationWork(state),
    recordWork(state),
    outputsWork(state),
    filesWork(state),
    notificationWork(state),
  ];
  const moments = work.flatMap((one) => (one === null ? [] : [one.atMs]));
  const expiry = Date.parse(state.record.expires_at);
  return Math.min(...moments, expiry);
}

// Grows with the run's age, so that a run of a day is listed again a few times only.
function dueMoment(state: RunState, nextMs: number): number {
  const expiry = Date.parse(state.record.expires_at);
  if (nextMs >= expiry) return expiry;
  const age = nextMs - Date.parse(state.record.started_at);
  const grace = Math.max(OVERDUE_GRACE_MS, age * OVERDUE_SHARE_OF_AGE);
  return Math.min(Math.ceil(nextMs + grace), expiry);
}

function withKey(state: RunState, key: KvKey): RunState {
  const name = JSON.stringify(key);
  if (state.kv.keys.some((known) => JSON.stringify(known) === name)) return state;
  return { ...state, kv: { ...state.kv, keys: [...state.kv.keys, key] } };
}
