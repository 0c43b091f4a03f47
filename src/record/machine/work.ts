// Chooses a Recorder's next effect, and the moment of its alarm. Pure.
import { begin, type Begun, type Work } from "./begin-effect.ts";
import { listRunWork } from "./run-work.ts";
import { isUnrecorded } from "../schedule.ts";
import { isQuiet, type GoneState, type RunState, type State } from "../state.ts";

/** Erasures of a deleted run: what was under way at the first may have written since. */
const DELETED_ERASURES = 2;

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
  if (state.erased < countErasures(state)) return null;
  if (state.kind === "expired") return state.gone_at_ms;
  return state.gone_at_ms + state.limits.keep_deleted_seconds * 1000;
}

/** When a response that leaves no record is forgotten; null while it is observed or listed. */
export function endOfUnrecorded(state: RunState): number | null {
  const { record, policy, catalog } = state;
  if (!isUnrecorded(record) || !isQuiet(state) || catalog.version !== null) return null;
  const settledMs = Date.parse(record.settled_at ?? record.started_at);
  return settledMs + policy.limits.keep_unrecorded_seconds * 1000;
}

// Moments without an effect: what transition does by itself.
function runMoments(state: RunState): number[] {
  const moments = [
    Date.parse(state.record.expires_at),
    state.rows.drop_at_ms,
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

function countErasures({ kind, connections }: GoneState): number {
  if (kind === "deleted") return DELETED_ERASURES;
  return connections.length > 0 ? 1 : 0;
}

// After a failure the other effect comes first: KV and the Catalog can each be down for hours.
function listGoneWork(state: GoneState): (Work | null)[] {
  const pauseMs = state.erased === 0 ? 0 : state.limits.erase_again_seconds * 1000;
  const eraseAtMs = Math.max(state.not_before_ms, state.gone_at_ms + pauseMs);
  const erasure: Work | null =
    state.erased < countErasures(state)
      ? {
          atMs: eraseAtMs,
          begin: (now) => {
            const { id, connections } = state;
            // An expired run's values in KV expire by themselves.
            const keys = state.kind === "deleted" ? state.keys : [];
            return begin(state, now, "erase", {}, { type: "erase", id, keys, connections });
          },
        }
      : null;
  const removal: Work | null =
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
        };
  return state.attempts % 2 === 0 ? [erasure, removal] : [removal, erasure];
}
