// The script of the receiver at NOTIFY_URL.
import type { Random } from "./random.ts";
import type { Outage } from "./scenario.ts";

const HOUR_SECONDS = 3600;

/** What the receiver does; null: no NOTIFY_URL is set. */
export type ReceiverScript = {
  /** The probability that an attempt fails. */
  rate: number;
  outage: Outage | null;
} | null;

/** Draws what the receiver does. */
export function drawReceiver(random: Random, isCalm: boolean): ReceiverScript {
  if (random.chance(0.5)) return null;
  if (isCalm) return { rate: 0, outage: null };
  const from = random.between(0, 600);
  const longest = random.pick([HOUR_SECONDS, 48 * HOUR_SECONDS]);
  const outage = random.chance(0.2) ? { from, to: from + random.between(0, longest) } : null;
  return { rate: random.pick([0, 0.05, 0.4]), outage };
}
