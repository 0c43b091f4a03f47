// Which outputs an answer had, by the script.
import { toSeconds } from "./clock.ts";
import type { Call, Scenario } from "./scenario.ts";
import { isEnd, type Shown } from "./truth.ts";

/** The ids of the calls whose outputs an answer had. */
export function hadOutputs(scenario: Scenario, shown: Omit<Shown, "had">): Set<string> {
  const had = scenario.calls.filter((call) => hasOutputs(scenario, shown, call));
  return new Set(had.map(({ id }) => id));
}

function hasOutputs(scenario: Scenario, shown: Omit<Shown, "had">, call: Call): boolean {
  if (!call.printed || !call.finishes || shown.http !== 200 || !shown.calls.has(call.id))
    return false;
  if (shown.channel === "stream") return scenario.streamHas;
  if (shown.channel === "conversation") return scenario.conversationHas;
  const { end, emptied, outputsAfter } = scenario;
  if (emptied || end === null || outputsAfter === null || !isEnd(shown.status)) return false;
  if (shown.running.has(call.id)) return false;
  return toSeconds(shown.at) >= end + outputsAfter;
}
