// Chooses a Recorder's next effect, and the moment of its alarm. Pure.
import type { Effect } from "./events.ts";
import { addProgress, toIso } from "./run-state.ts";
import { isListed, isStorable, isUnrecorded, nextAction } from "./schedule.ts";
import type { Channel } from "./schema.ts";
import {
  bodySource,
  isQuiet,
  unsearchedContainers,
  type GoneState,
  type KvKey,
  type RunState,
  type Running,
  type State,
} from "./state.ts";

/** How long each effect may take. */
const MAX_EFFECT_MS: Record<Running["type"], number> = {
  erase: 60_000,
  observe: 90_000,
  store_record: 120_000,
  store_outputs: 120_000,
  find_files: 120_000,
  copy_file: 120_000,
  list: 10_000,
  unlist: 10_000,
};

/** Erasures of a deleted run: what was under way at the first may have written since. */
const ERASURES = 2;

/** A row is overdue this long after the moment that it was planned for, and this part of the run's age. */
const OVERDUE_GRACE_MS = 300_000;
const OVERDUE_SHARE_OF_AGE = 0.5;

/** Something to do, from a moment on. */
type Work = { atMs: number; begin: (now: number) => Begun };
/** The state with its effect under way. */
export type Begun = { state: State; effect: Effect };

/** Begins the first effect that is due, in the order of the list of effects; null when none is. */
export function beginNext(state: State, now: number): Begun | null {
  if (state.running !== null) return null;
  const due = listWork(state).find(({ atMs }) => atMs <= now);
  return due?.begin(now) ?? null;
}

/** The next moment at which a state without an effect has something to do. */
export function nextMoment(state: State): number {
  const work = listWork(state).map(({ atMs }) => atMs);
  return Math.min(...work, ...(state.kind === "run" ? runMoments(state) : goneMoments(state)));
}

/** Whether an effect is under way or due. */
export function hasWorkLeft(state: State | null, now: number): boolean {
  if (state === null) return false;
  return state.running !== null || nextMoment(state) <= now;
}

/** When the mark of a run that is gone ends; null while something is left to do. */
export function endOfMark(state: GoneState): number | null {
  if (state.catalog_version !== null) return null;
  if (state.kind === "expired") return state.gone_at_ms;
  if (state.erased < ERASURES) return null;
  return state.gone_at_ms + state.limits.keep_deleted_seconds * 1000;
}

/** When a response that leaves no record is forgotten; null while it is observed or listed. */
export function endOfUnrecorded(state: RunState): number | null {
  const { record, policy, catalog } = state;
  if (!isUnrecorded(record) || !isQuiet(state) || catalog.version !== null) return null;
  const settledMs = Date.parse(record.settled_at ?? record.started_at);
  return settledMs + policy.limits.keep_unrecorded_seconds * 1000;
}

/** When a control that has not reported counts as interrupted; null when none is awaited. */
export function controlTimeout({ record, policy }: RunState): number | null {
  const action = nextAction(record, policy);
  return action.type === "await_control" ? action.untilMs : null;
}

// Moments without an effect: what transition does by itself.
function runMoments(state: RunState): number[] {
  const moments = [
    Date.parse(state.record.expires_at),
    state.rows.drop_at_ms,
    controlTimeout(state),
    endOfUnrecorded(state),
  ];
  return moments.filter((moment) => moment !== null);
}

function goneMoments(state: GoneState): number[] {
  const end = endOfMark(state);
  return end === null ? [] : [end];
}

function listWork(state: State): Work[] {
  const work = state.kind === "run" ? listRunWork(state) : listGoneWork(state);
  return work.filter((one) => one !== null);
}

function listGoneWork(state: GoneState): (Work | null)[] {
  const erasures = state.kind === "deleted" ? ERASURES : 0;
  const pauseMs = state.erased === 0 ? 0 : state.limits.erase_again_seconds * 1000;
  const eraseAtMs = Math.max(state.not_before_ms, state.gone_at_ms + pauseMs);
  return [
    state.erased < erasures
      ? {
          atMs: eraseAtMs,
          begin: (now) =>
            begin(state, now, "erase", {}, { type: "erase", id: state.id, keys: state.keys }),
        }
      : null,
    state.catalog_version === null
      ? null
      : {
          atMs: state.not_before_ms,
          begin: (now) => {
            const version = Math.max((state.catalog_version ?? 0) + 1, now);
            const next = { ...state, catalog_version: version };
            const { id, started_at: startedAt } = state;
            return begin(next, now, "unlist", {}, { type: "unlist", id, startedAt, version });
          },
        },
  ];
}

function listRunWork(state: RunState): (Work | null)[] {
  return [
    observationWork(state),
    recordWork(state),
    outputsWork(state),
    filesWork(state),
    catalogWork(state),
  ];
}

function observationWork(state: RunState): Work | null {
  const planned = plannedObservation(state);
  if (planned === null) return null;
  const { channel, requested } = planned;
  const atMs = Math.max(planned.atMs, state.observation.not_before_ms);
  return {
    atMs,
    begin: (now) => {
      const observation =
        channel === "held"
          ? { ...state.observation, held: false }
          : { ...state.observation, now: null };
      const next = addProgress({ ...state, observation }, "observing", toIso(now), channel);
      const effect = { type: "observe" as const, channel, record: state.record };
      return begin(next, now, "observe", { channel, requested }, effect);
    },
  };
}

function plannedObservation({
  observation,
  record,
  policy,
}: RunState): { channel: Channel; requested: boolean; atMs: number } | null {
  if (observation.held) return { channel: "held", requested: false, atMs: 0 };
  if (observation.now !== null) {
    return { channel: "refetch", requested: observation.now === "requested", atMs: 0 };
  }
  const action = nextAction(record, policy);
  if (action.type !== "observe") return null;
  return { channel: action.channel, requested: false, atMs: action.atMs };
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
      const effect = { type: "list" as const, record, version, dueMs };
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

/** The next moment at which a run has something to do that a lost alarm would delay; when only its expiry is left, that. */
export function nextRunMoment(state: RunState): number {
  const work = [observationWork(state), recordWork(state), outputsWork(state), filesWork(state)];
  const moments = work.flatMap((one) => (one === null ? [] : [one.atMs]));
  const expiry = Date.parse(state.record.expires_at);
  return Math.min(...moments, controlTimeout(state) ?? expiry, expiry);
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

type EffectContent = Effect extends infer One
  ? One extends Effect
    ? Omit<One, "turn" | "untilMs">
    : never
  : never;

function begin(
  state: State,
  now: number,
  type: Running["type"],
  details: Partial<Running>,
  content: EffectContent,
): Begun {
  const turn = state.turn + 1;
  const untilMs = now + MAX_EFFECT_MS[type];
  const running: Running = {
    turn,
    type,
    began_ms: now,
    until_ms: untilMs,
    channel: null,
    requested: false,
    revision: state.kind === "run" ? state.revision : 0,
    due_ms: null,
    containers: [],
    ...details,
  };
  return { state: { ...state, turn, running }, effect: { ...content, turn, untilMs } };
}
