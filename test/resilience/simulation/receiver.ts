// A stand-in for the receiver at NOTIFY_URL.
import type { Effect } from "../../../src/record/events.ts";
import { isReadable } from "../../../src/record/state.ts";
import type { Report } from "./effect-report.ts";
import type { SimulationState } from "./simulation-state.ts";

/** Checks that a report may begin. */
export function checkReport(run: SimulationState): void {
  const { object, truth, receiver } = run;
  if (receiver === null) {
    run.fail("only a record that can be read is notified", "no NOTIFY_URL is set");
  }
  // What is not stored could be lost after it was reported.
  if (!isReadable(object.storage.state)) {
    run.fail("only a record that can be read is notified", "it can't be read");
  }
  if (truth?.isNotified === true) {
    run.fail("what was delivered is not sent again", "it is sent again");
  }
}

/** Receives a report. */
export function receive(
  run: SimulationState,
  { turn }: Extract<Effect, { type: "notify" }>,
): Report {
  const { receiver, truth, random } = run;
  const failed: Report = { event: { type: "failed", turn, reason: "no answer" } };
  if (receiver === null || run.isOut(receiver.outage, "receiver down")) return failed;
  if (!run.happens(receiver.rate, "notification failed")) {
    if (truth !== null) truth.deliveries += 1;
    return { event: { type: "notified", turn, status: 200 } };
  }
  const fault = random.pick(["refused", "redirected", "answer lost", "no answer"]);
  if (fault === "refused") return { event: { type: "notified", turn, status: 503 } };
  if (fault === "redirected") return { event: { type: "notified", turn, status: 302 } };
  if (fault === "answer lost" && truth !== null) truth.deliveries += 1;
  return failed;
}
