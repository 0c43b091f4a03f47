// What a Recorder does with an outcome in addition to storing it.
import { log } from "../../log.ts";
import type { Outcome, RecorderEvent } from "../../record/events.ts";
import { isUnrecorded } from "../../record/schedule.ts";
import type { State } from "../../record/state.ts";

/**
 * The outcome without an alarm that is not needed, which would cost a row.
 * What an expired run still does takes seconds, and the alarm handler waits for it. The platform fires an alarm again whose handler has not ended: https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export function withoutSpareAlarm(event: RecorderEvent, outcome: Outcome): Outcome {
  const { state, effect } = outcome;
  if (event.type !== "alarm" || state?.kind !== "expired" || effect === null) return outcome;
  return { ...outcome, state: { ...state, alarm_at_ms: null }, alarm: null };
}

/** Logs that a run is settled, once. */
export function logSettled(before: State | null, after: State | null): void {
  if (after?.kind !== "run" || after.record.settled_at === null) return;
  if (before?.kind === "run" && before.record.settled_at !== null) return;
  const { id, verdict, started_at: startedAt } = after.record;
  const ms = Date.now() - Date.parse(startedAt);
  log("run", { id, outcome: verdict, recorded: !isUnrecorded(after.record), ms });
}
