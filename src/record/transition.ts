// The Recorder's decisions: state, event and time in; state, effect and alarm out. No I/O, no clock, no `this`.
import { applyCall } from "./machine/apply-call.ts";
import { applyResult } from "./machine/apply-result.ts";
import type { Begun } from "./machine/begin-effect.ts";
import type { Effect, Outcome, RecorderEvent, ResultEvent, RowChanges } from "./events.ts";
import { toGoneState } from "./machine/run-state.ts";
import type { GoneState, RunState, State } from "./state.ts";
import { beginNext, endOfMark, endOfUnrecorded, nextMoment } from "./machine/work.ts";
import { nextRunMoment } from "./machine/run-work.ts";
import { beginStatusCheck } from "./machine/status-check.ts";

/** While an effect is under way the alarm looks after it this often. An object that finds the effect dead does it again. */
const CHECK_EFFECT_MS = 30_000;
/** An alarm that fires within this time is kept while an effect is under way: setting it again costs a row. */
const KEEP_ALARM_MS = 120_000;

const NO_ROWS: RowChanges = { drop: false, writeBody: false, writeOutputs: null };

const NO_STORED_ROWS: RunState["rows"] = {
  body_digest: null,
  outputs: [],
  unstored_outputs: [],
  drop_at_ms: null,
};

/** Events that report on an effect. */
const RESULT_TYPES: ReadonlySet<string> = new Set<ResultEvent["type"]>([
  "erased",
  "observed",
  "control_observed",
  "stored",
  "files_found",
  "file_copied",
  "listed",
  "unlisted",
  "notified",
  "failed",
  "lost",
  "large_body",
]);

/**
 * The next state of a Recorder.
 * @param state What is stored; null for an empty object.
 * @param now Milliseconds since 1970.
 */
export function transition(state: State | null, event: RecorderEvent, now: number): Outcome {
  const current = passTime(withAlarmFired(state, event), event, now);
  const applied = passTime(applyEvent(current, event, now), event, now);
  const after = applied?.kind === "run" ? planDrop(applied, now) : applied;
  const rows = toRowChanges(state, current, after, event);
  if (after === null)
    return { state: null, effect: null, alarm: null, rows, persist: state !== null };
  // The event that woke the object follows, and drives the run on.
  if (event.type === "lost")
    return { state: after, effect: null, alarm: null, rows, persist: false };
  const begun = chooseEffect(after, event, now);
  return finish(state, event, begun ?? { state: after, effect: null }, rows, now);
}

function chooseEffect(state: State, event: RecorderEvent, now: number): Begun | null {
  if (event.type === "poke") return null;
  const isWanted = event.type === "status_wanted";
  return beginNext(state, now) ?? (isWanted ? beginStatusCheck(state, now) : null);
}

function applyEvent(state: State | null, event: RecorderEvent, now: number): State | null {
  if (!isResult(event)) return applyCall(state, event, now);
  return state === null ? null : applyResult(state, event, now);
}

function isResult(event: RecorderEvent): event is ResultEvent {
  return RESULT_TYPES.has(event.type);
}

// A poke comes because an alarm may be lost, so no alarm counts as set.
function withAlarmFired(state: State | null, event: RecorderEvent): State | null {
  if (state === null || (event.type !== "alarm" && event.type !== "poke")) return state;
  return { ...state, alarm_at_ms: null };
}

// What happens because a moment has come: expiry, the end of marks, dropped rows, an effect out of time.
function passTime(state: State | null, event: RecorderEvent, now: number): State | null {
  if (state === null) return null;
  const free = isOutOfTime(state, event, now) ? loseEffect(state, now) : state;
  if (free.kind !== "run") return isPast(endOfMark(free), now) ? null : free;
  if (isPast(endOfUnrecorded(free), now)) return null;
  if (now >= Date.parse(free.record.expires_at)) {
    return passTime(toGoneState(free, "expired", now), event, now);
  }
  return canDropRows(free, now) ? { ...free, rows: NO_STORED_ROWS } : free;
}

// A write to KV that is under way reads from them.
function canDropRows({ rows, running }: RunState, now: number): boolean {
  const isRead = running?.type === "store_record" || running?.type === "store_outputs";
  return isPast(rows.drop_at_ms, now) && !isRead;
}

function isPast(moment: number | null, now: number): boolean {
  return moment !== null && moment <= now;
}

// A result that comes in the last moment counts.
function isOutOfTime({ running }: State, event: RecorderEvent, now: number): boolean {
  if (running === null || running.until_ms > now) return false;
  return !("turn" in event && event.turn === running.turn);
}

function loseEffect(state: State, now: number): State {
  if (state.running === null) return state;
  return applyResult(state, { type: "lost", turn: state.running.turn }, now);
}

// KV can show an older value for a minute, so the rows outlive the write. The Catalog's search text is made from them.
function planDrop(state: RunState, now: number): RunState {
  const { rows, kv, record, policy, catalog, revision } = state;
  if (!hasRows(state) || rows.drop_at_ms !== null || rows.unstored_outputs.length > 0) return state;
  if (catalog.listed_revision !== revision) return state;
  const isBodySafe =
    rows.body_digest === kv.body_digest || rows.body_digest !== (record.body?.digest ?? null);
  if (rows.body_digest !== null && !isBodySafe) return state;
  const drop_at_ms = now + policy.limits.keep_rows_seconds * 1000;
  return { ...state, rows: { ...rows, drop_at_ms } };
}

function hasRows(state: State | null): boolean {
  if (state?.kind !== "run") return false;
  return state.rows.body_digest !== null || state.rows.outputs.length > 0;
}

function toRowChanges(
  stored: State | null,
  current: State | null,
  after: State | null,
  event: RecorderEvent,
): RowChanges {
  const drop = hasRows(stored) && !(hasRows(current) && hasRows(after));
  if (after?.kind !== "run" || current?.kind !== "run") return { ...NO_ROWS, drop };
  const { rows } = after;
  const writeBody = rows.body_digest !== null && rows.body_digest !== current.rows.body_digest;
  const addsOutputs =
    (event.type === "observed" || event.type === "control_observed") &&
    rows.unstored_outputs !== current.rows.unstored_outputs;
  const channel = event.type === "observed" ? event.result.observation.channel : "control";
  return { drop, writeBody, writeOutputs: addsOutputs ? channel : null };
}

function finish(
  stored: State | null,
  event: RecorderEvent,
  { state, effect }: { state: State; effect: Effect | null },
  rows: RowChanges,
  now: number,
): Outcome {
  const wanted = event.type === "poke" ? pokedAlarm(state, now) : wantedAlarm(state, now);
  const alarm = wanted === state.alarm_at_ms ? null : wanted;
  const next = { ...state, alarm_at_ms: wanted };
  const persist = mustPersist(stored, event, next, effect, rows, now);
  const unsaved = !persist && (state.unsaved || isCheapToRepeat(stored, event, next, effect));
  return { state: { ...next, unsaved }, effect, alarm, rows, persist };
}

function pokedAlarm(state: State, now: number): number {
  return state.running === null ? Math.max(nextMoment(state), now) : now + CHECK_EFFECT_MS;
}

function wantedAlarm(state: State, now: number): number {
  const { running, alarm_at_ms: present } = state;
  if (running === null) return Math.max(nextMoment(state), now);
  // Without its row the Catalog can't notice that an alarm was lost.
  if (running.type === "unlist") return now + CHECK_EFFECT_MS;
  if (present !== null && present > now && present <= now + KEEP_ALARM_MS) return present;
  // A check that dies is not done again.
  if (running.is_status_check) return Math.max(nextMoment(state), now + CHECK_EFFECT_MS);
  const nextMs = running.type === "list" && state.kind === "run" ? nextRunMoment(state) : now;
  const isNear = nextMs > running.until_ms && nextMs <= now + KEEP_ALARM_MS;
  return isNear ? nextMs : now + CHECK_EFFECT_MS;
}

// After a crash a write to KV, or a search that found no files, is done again. That is cheaper than a row each time.
function isCheapToRepeat(
  stored: State | null,
  event: RecorderEvent,
  next: State,
  effect: Effect | null,
): boolean {
  if (stored?.kind !== "run" || next.kind !== "run") return false;
  const isListed = effect?.type === "list";
  if (event.type === "files_found") return isListed && stored.record === next.record;
  if (event.type !== "stored") return false;
  // A death during the search counts for it too, and then the search is written: see afterFailure.
  if (effect?.type === "find_files") return stored.kv.attempts === 0;
  return isListed;
}

function mustPersist(
  stored: State | null,
  event: RecorderEvent,
  next: State,
  effect: Effect | null,
  rows: RowChanges,
  now: number,
): boolean {
  if (stored === null) return true;
  // An expired run is known by its record's expiry.
  if (next.kind === "expired") return false;
  if (stored.unsaved && (effect === null || rows.drop)) return true;
  const isAlarmKept = stored.alarm_at_ms === next.alarm_at_ms || (stored.alarm_at_ms ?? 0) <= now;
  if (isCheapToRepeat(stored, event, next, effect)) return false;
  // The moment at which rows are dropped must be known when they are.
  const isDropKept = dropMoment(stored) === dropMoment(next);
  if (event.type === "listed" && effect === null && isAlarmKept && isDropKept) return false;
  return !isAlarmKept || hasStateChanged(stored, next, rows.drop);
}

function dropMoment(state: State): number | null {
  return state.kind === "run" ? state.rows.drop_at_ms : null;
}

// States are never changed in place, so their parts are compared by reference. That rows were dropped follows from their moment.
function hasStateChanged(before: State, after: State, isDrop: boolean): boolean {
  if (before.turn !== after.turn || before.running !== after.running) return true;
  if (before.kind !== "run" || after.kind !== "run") {
    return before.kind === "run" || after.kind === "run" || hasGoneChanged(before, after);
  }
  const isSame =
    before.record === after.record &&
    before.policy === after.policy &&
    before.revision === after.revision &&
    before.observation === after.observation &&
    before.kv === after.kv &&
    (isDrop || before.rows === after.rows) &&
    before.files === after.files &&
    before.catalog === after.catalog &&
    before.notification === after.notification &&
    before.progress === after.progress;
  return !isSame;
}

function hasGoneChanged(before: GoneState, after: GoneState): boolean {
  return (
    before.erased !== after.erased ||
    before.catalog_version !== after.catalog_version ||
    before.attempts !== after.attempts
  );
}
