// Conditions of a simulated response on which its invariants depend.
import { isFaultless } from "./scenario.ts";
import type { SimulatedResponse } from "./simulated-response.ts";

/** Whether a response must leave nothing. One that was gone before it could be observed counts as not found, like any unknown id. */
export function isUnwanted({ scenario, instances, kv, handedOver }: SimulatedResponse): boolean {
  const known = kv.record()?.known;
  if (known !== undefined && known.status === null) return false;
  const asked = instances.some((one) => one.start.action === "refetch");
  // Below /v1 a response has no metadata of ours: until the hand-over it counts as external.
  const ours = scenario.ours && (scenario.held?.by !== "v1" || handedOver > 0);
  return !ours && !scenario.recordsExternal && !scenario.unknown && scenario.end !== null && !asked;
}

/** Whether nothing delays it as crashes, refused writes and slow retries can. */
export function isUndelayed({ scenario, crashes }: SimulatedResponse): boolean {
  return crashes === 0 && scenario.rates.write === 0 && scenario.outage === null;
}

/** Whether one observation and three writes are enough. */
export function isHappyPath({ scenario }: SimulatedResponse): boolean {
  const { ours, end, held, outputsAfter, arrivals, containers, control, calls } = scenario;
  const plain =
    ours &&
    held === null &&
    end !== null &&
    end < 110 &&
    control === null &&
    containers === 0 &&
    arrivals.length === 2 &&
    arrivals[0]?.at === 0 &&
    arrivals[1]?.what === "webhook" &&
    arrivals[1].at >= end;
  return (
    isFaultless(scenario) &&
    plain &&
    outputsAfter === 0 &&
    calls.every((call) => call.printed || !call.shows)
  );
}
