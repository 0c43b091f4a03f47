// The invariants of a held run.
import { toSeconds } from "./clock.ts";
import type { Stored } from "./kv.ts";
import { listObservations } from "./observations.ts";
import { isEnd } from "./expected.ts";
import type { SimulatedResponse } from "./simulated-response.ts";

/** Seconds between observations while a connection is held. */
const POLL_WHILE_HELD_SECONDS = 300;

/** The record has what the Holder left. */
export function recordsHeldResult(
  response: SimulatedResponse,
  stored: Stored[],
): (string | false)[] {
  const { holder, posts, handedOver, reportedAt, deleted } = response;
  const left = response.getConnectionResult();
  const known = stored.at(-1)?.known;
  if (holder === null || deleted || left === null)
    return [posts > 1 && `it was sent ${posts} times`];
  const says = known?.held?.broke_at;
  return [
    posts !== 1 && `it was sent ${posts} times`,
    handedOver === 0 && "it was never handed over",
    reportedAt === null && "the Holder never reported",
    known === undefined && "it is not recorded",
    says !== left.broke_at && `it broke at ${left.broke_at}, and the record says ${says}`,
    left.broke_at === null && !isEnd(known?.status ?? null) && "its end is not in the record",
  ];
}

/** Observations are far apart until the Holder reports the end. */
export function observesRarelyWhileHeld({
  instances,
  scenario,
  handedOver,
  reportedAt,
}: SimulatedResponse): (string | false)[] {
  // A repeated hand-over causes an observation, and so does the start of another instance.
  const requested = scenario.arrivals.length + handedOver;
  return instances
    .filter(({ start }) => start.holder !== null)
    .map((instance) => {
      const observed = listObservations(instance).map(({ observation }) => observation);
      const until = observed.findIndex((seen) => seen.channel === "held" || isEnd(seen.status));
      const times = observed
        .slice(0, until === -1 ? undefined : until)
        .map(({ at }) => toSeconds(at))
        .filter((time) => reportedAt === null || time < reportedAt);
      const soon = times.filter(
        (time, index) => time - (times[index - 1] ?? instance.born) < POLL_WHILE_HELD_SECONDS - 1,
      );
      return soon.length > requested && `observations at ${soon.join(", ")}`;
    });
}
