// What several assertions ask.
import type { ActualRun } from "../../support/emulator-client.ts";

const END_STATUSES = new Set(["completed", "failed", "cancelled", "incomplete"]);

/** Whether a response with this status has ended. */
export function isTerminal(status: string | null): boolean {
  return status !== null && END_STATUSES.has(status);
}

/**
 * Whether the soak's Worker injected a fault.
 * @param about A response's id, or a Connection's name.
 */
export function hasFault(log: string, kind: string, about: string): boolean {
  const mark = `{"event":"soak_fault","kind":"${kind}"`;
  return log.split("\n").some((line) => line.includes(mark) && line.includes(about));
}

/** All calls of a run, also those that only its stream showed, in their order. */
export function listExecutedCalls({ calls, unshown }: ActualRun): ActualRun["calls"] {
  return [...calls, ...unshown];
}
