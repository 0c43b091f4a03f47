// A Connection's calls to the Recorder: they are lost, come twice, or late.
import type { ConnectionCall, ReportOutcome } from "../../../src/record/connection/transition.ts";
import type { CallEvent } from "../../../src/record/events.ts";
import type { ConnectionObject } from "./connection-object.ts";
import type { SimulationState } from "./simulation-state.ts";

/** A call that was not answered by then has failed. */
const CALL_TIMEOUT_SECONDS = 30;

/**
 * Calls the Recorder once.
 * @param onEnd Called when the object lives that called. Null: the call failed.
 */
export function tellRecorder(
  run: SimulationState,
  object: ConnectionObject,
  call: ConnectionCall,
  onEnd: (outcome: ReportOutcome | null) => void,
): void {
  const { clock, random, scenario } = run;
  const { life } = object;
  const finish = (outcome: ReportOutcome | null): void => {
    if (object.life !== life) return;
    object.finishCall(life, call, outcome);
    onEnd(outcome);
  };
  const arrive = () => run.report(toEvent(call));
  const isFaulty = run.happens(scenario.rates.calls, "call to the Recorder failed");
  const fault = isFaulty ? random.pick(["lost", "answer lost", "twice", "late"]) : null;
  if (fault === "lost" || fault === "late") {
    clock.after(random.between(1, CALL_TIMEOUT_SECONDS), () => finish(null));
    if (fault === "late") clock.after(random.between(CALL_TIMEOUT_SECONDS, 600), arrive);
    return;
  }
  clock.after(random.between(0.01, 0.3), () => {
    // An evicted object's call may still arrive.
    if (object.life !== life && random.chance(0.5)) return;
    const outcome = arrive();
    if (fault === "twice") clock.after(random.pick([0, 5, 600]) * random.next(), arrive);
    const delay = fault === "answer lost" ? random.between(0, CALL_TIMEOUT_SECONDS) : 0;
    clock.after(delay, () => finish(fault === "answer lost" ? null : outcome));
  });
}

function toEvent(call: ConnectionCall): CallEvent {
  if (call.type === "hand_over") return { type: "start", params: call.params };
  if (call.type === "tell_end") return { type: "connection_ended", params: call.params };
  if (call.type === "tell_status") return { type: "status_seen", status: call.status };
  return { type: call.type === "announce_control" ? "control_opened" : "control_ended" };
}
