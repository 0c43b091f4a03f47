// How often a handler of an alarm is tried again while its storage refuses writes.
import type { Clock } from "./clock.ts";
import { StorageRefused } from "./storage-refused.ts";

/** Seconds after which an alarm handler tries again to reach its storage; after the last it throws. The platform ends it after 15 minutes. */
const HANDLER_RETRY_SECONDS = [1, 2, 4, 8, 15, 30, 60, 120, 240, 120];
/** Seconds after which the platform calls a handler again that threw. */
const PLATFORM_RETRY_SECONDS = [2, 4, 8, 16, 32, 64];
const ALARM_RETRY_SECONDS = [
  ...HANDLER_RETRY_SECONDS,
  ...PLATFORM_RETRY_SECONDS.flatMap((seconds) => [seconds, ...HANDLER_RETRY_SECONDS]),
];

/**
 * Runs a handler that throws in the end when it can't store anything. The platform calls it again six times, then never.
 * @param isCurrent Whether no later alarm was set.
 */
export function fireWithRetries(
  clock: Clock,
  handler: () => void,
  isCurrent: () => boolean,
  attempt = 0,
): void {
  try {
    handler();
  } catch (error) {
    if (!(error instanceof StorageRefused)) throw error;
    const delay = ALARM_RETRY_SECONDS[attempt];
    if (delay === undefined) return;
    clock.after(delay, () => {
      if (isCurrent()) fireWithRetries(clock, handler, isCurrent, attempt + 1);
    });
  }
}
