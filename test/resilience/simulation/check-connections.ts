// Checks the invariants of Connections.
import type { ConnectionOutcome } from "../../../src/record/connection/transition.ts";
import type { StoredRecord } from "../../../src/record/schema.ts";
import { controlTruth, shownCalls } from "./connection-truth.ts";
import type { ConnectionTruth, SimulatedConnection } from "./simulated-connection.ts";
import type { SimulationState } from "./simulation-state.ts";
import type { RunTruth } from "./truth.ts";

/** By then the Recorder of a deleted run has reached its Connections. */
const MAX_REMOVAL_SECONDS = 2 * 60 * 60;
/** A control that is opened so late may not be heard of before the record expires. */
const LATE_CONTROL_SECONDS = 2 * 60 * 60;

/** Checks each write of a Connection. */
export function checkConnection(
  run: SimulationState,
  { name, object, truth }: SimulatedConnection,
  before: ConnectionTruth["phase"],
  { state }: ConnectionOutcome,
): void {
  const { alarmAtMs } = object.storage;
  if (state === null) {
    if (!mayForget(run, truth)) {
      run.fail("an event that was stored is kept until it is read", `${name} is gone`);
    }
    return;
  }
  if (alarmAtMs === null || alarmAtMs !== state.alarm_at_ms) {
    run.fail("a Connection always has an alarm", `${name} has none while ${state.phase}`);
  }
  if (state.phase === "released" && before !== "released" && !truth.isRead) {
    run.fail("a Connection is released when it was read", name);
  }
}

// Only what was read is forgotten, a Connection whose run is unknown, and what belongs to a run that is gone.
function mayForget({ object, goneAt }: SimulationState, truth: ConnectionTruth): boolean {
  if (truth.isRead || truth.stored.length === 0) return true;
  // That a run has expired is not stored, so an object that was created again may not know it yet.
  const wasGone = (goneAt ?? -1) >= (truth.openedAt ?? 0);
  return wasGone || object.state?.kind === "deleted" || object.state?.kind === "expired";
}

/** Checks a settled record against what its Connections stored. */
export function checkRead(run: SimulationState, truth: RunTruth, record: StoredRecord): void {
  checkControl(run, truth, record);
  const { own } = run.connections;
  if (own === null || record.connection === null) return;
  if (truth.shown.some(({ tooLarge }) => tooLarge)) return;
  const { calls, had } = shownCalls(own.truth, run);
  for (const id of calls) {
    const call = record.calls.find((one) => one.id === id);
    const isKept = call !== undefined && (!had.has(id) || call.state === "populated");
    if (!isKept) run.fail("a call that was finished before a break is recorded", id);
  }
}

function checkControl(run: SimulationState, { hasControl }: RunTruth, record: StoredRecord): void {
  const expected = controlTruth(run);
  if (expected === null || !hasControl) return;
  const openedAt = run.connections.control?.truth.openedAt ?? null;
  const isLate = openedAt !== null && run.clock.seconds - openedAt < LATE_CONTROL_SECONDS;
  if (isLate && record.control?.status === "not_run") return;
  const { control } = record;
  if (control?.status === "not_run" && openedAt !== null) {
    run.fail("a control counts as not run only if it was never opened", `opened at ${openedAt}`);
  }
  if (control?.status !== expected.status) {
    const why = `it is ${control?.status ?? "missing"}, not ${expected.status}`;
    return run.fail("a control's result is recorded", why);
  }
  const calls = control.calls.map(({ id, state }) => `${id} ${state === "populated"}`).join();
  const wanted = expected.calls.map(({ id, had }) => `${id} ${had}`).join();
  if (calls !== wanted) run.fail("a control's result is recorded", `${calls}, not ${wanted}`);
}

/** Checks what is left of the Connections when nothing happens any more. */
export function checkConnectionsEnd(run: SimulationState, outageSeconds: number): void {
  for (const { name, object, stream, truth } of run.connections.all) {
    if (object.storage.state !== null) {
      run.fail("no Connection is left", `${name} is ${object.storage.state.phase}`);
    }
    if (stream.posts > 1) run.fail("a request is sent once", `${name}: ${stream.posts} times`);
    if (run.deletedAt === null || truth.openedAt === null) continue;
    const from = Math.max(run.deletedAt, truth.openedAt);
    const isOver = (truth.goneAt ?? Infinity) <= from + MAX_REMOVAL_SECONDS + outageSeconds;
    if (!isOver) run.fail("a deleted run's Connections are gone", name);
  }
}
