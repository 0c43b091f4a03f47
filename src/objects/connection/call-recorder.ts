// A Connection's calls to the Recorder of its run.
import { withTimeout } from "../../lib/retry.ts";
import { withLog, type LogFields } from "../../log.ts";
import type {
  ConnectionCall,
  ConnectionEvent,
  ReportOutcome,
} from "../../record/connection/transition.ts";
import { getRecorder } from "../recorder/client.ts";

/** Milliseconds that a call may take. */
const CALL_MS = 30_000;

/**
 * Makes a call once; the Connection repeats it until it is heard.
 * @returns Whether it was heard, and what the Recorder answered.
 */
export async function callRecorder(
  env: Env,
  call: ConnectionCall,
  fields: LogFields,
): Promise<ConnectionEvent> {
  try {
    const outcome = await withLog(
      `connection_${call.type}`,
      fields,
      () => callInTime(env, call),
      (answer) => ({ outcome: answer }),
    );
    return { type: "told", call: call.type, outcome };
  } catch {
    return { type: "tell_failed" };
  }
}

async function callInTime(env: Env, call: ConnectionCall): Promise<ReportOutcome> {
  const outcome = await withTimeout(send(env, call), CALL_MS, null);
  if (outcome === null) throw new Error("The Recorder did not answer in time.");
  return outcome;
}

async function send(env: Env, call: ConnectionCall): Promise<ReportOutcome> {
  switch (call.type) {
    case "hand_over":
      return getRecorder(env, call.params.id).start(call.params);
    case "announce_control":
      return getRecorder(env, call.run).controlOpened();
    case "tell_status":
      return getRecorder(env, call.id).statusSeen(call.status);
    case "tell_end":
      return getRecorder(env, call.params.id).connectionEnded(call.params);
    case "tell_control_end":
  }
  return getRecorder(env, call.run).controlEnded();
}
