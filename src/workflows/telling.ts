// Notifies the Recorder that the connection closed, and verifies that it processed the event.
import type { Reading, Woken } from "./history.ts";
import {
  BREAK_UNKNOWN,
  type StoredRecord,
  type RecorderParams,
  type RecorderEvent,
} from "../record/schema.ts";

/** How often a Recorder is asked whether it has heard of its Holder, and the seconds between. */
const MOST_ASKS = 20;
const ASK_GAP = 3;

/** The Recorder that is told. */
export interface Told {
  wake(wake: RecorderEvent): Promise<Woken>;
  ask(): Promise<Reading>;
  /** Waits until it has finished a step, up to a number of seconds. */
  pause(seconds: number): Promise<void>;
  restart(start: RecorderParams): Promise<void>;
}

/**
 * Tells a Recorder that its run's connection has ended.
 * @param start What the Holder would have it begin with.
 * @param at The moment, in ISO 8601.
 * @param recorder The response's Recorder.
 * @throws When it has not heard in a minute: then it is told again.
 */
export async function tell(start: RecorderParams, at: string, recorder: Told): Promise<void> {
  const wake: RecorderEvent = { kind: "held", at };
  const found = await recorder.wake(wake);
  if ((found === "woken" || found === "ended") && (await hasHeard(start, recorder))) return;
  await recorder.restart({ ...start, action: "refetch" });
  await recorder.wake(wake);
}

// A Recorder that somebody else began learns of this Holder by an event. One that ended before, or found nothing, leaves it to another.
async function hasHeard({ holder }: RecorderParams, recorder: Told): Promise<boolean> {
  for (let asks = 0; asks < MOST_ASKS; asks += 1) {
    const asked = await recorder.ask();
    if (asked.state === "unknown" || asked.state === "deleted") return true;
    const { known } = asked;
    if (asked.state === "ended")
      return known.holder === holder && known.held?.broke_at !== BREAK_UNKNOWN;
    if (known.holder === holder || hasLookedAtHeld(known)) return true;
    await recorder.pause(ASK_GAP);
  }
  throw new Error("the Recorder has not heard of its Holder yet");
}

// What an event said stands in no step's result before something is stored.
function hasLookedAtHeld({ observations }: StoredRecord): boolean {
  return observations.some(({ channel }) => channel === "held");
}
