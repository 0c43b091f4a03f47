// A Connection's calls to the Recorder of its run.
import type { ConnectionCall, ReportOutcome } from "../../record/connection/transition.ts";
import { getRecorder } from "../recorder/client.ts";

/**
 * Makes a call once; the Connection repeats it until it is heard.
 * @throws What the platform throws when the Recorder can't be reached.
 */
export async function callRecorder(env: Env, call: ConnectionCall): Promise<ReportOutcome> {
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
      return getRecorder(env, call.run).controlEnded();
  }
}
