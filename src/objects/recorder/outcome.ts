// What a Recorder says of its outcomes, and does with them in addition to storing them.
import { log } from "../../log.ts";
import type { Outcome, RecorderEvent } from "../../record/events.ts";
import { isUnrecorded } from "../../record/schedule.ts";
import { isTerminal } from "../../record/reducer.ts";
import type { State } from "../../record/state.ts";

/** What a webhook came to. */
export type WebhookOutcome = "started" | "restarted" | "delivered" | "duplicate" | "deleted";

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

/** What a webhook that comes now comes to. */
export function describeWebhook(state: State | null): WebhookOutcome {
  if (state === null) return "started";
  if (state.kind !== "run") return "deleted";
  const { status, settled_at: settled } = state.record;
  if (isTerminal(status)) return "duplicate";
  return settled === null ? "delivered" : "restarted";
}
