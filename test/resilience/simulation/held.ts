// What must hold for a run whose connection is held.
import { toSeconds } from "./clock.ts";
import type { Stored } from "./kv.ts";
import { looksOf } from "./observations.ts";
import { isEnd } from "./expected.ts";
import type { World } from "./world.ts";

/** Seconds between looks beside a held connection. */
const BESIDE = 300;

/** What its Holder left is in the record. */
export function takesHeld(world: World, stored: Stored[]): (string | false)[] {
  const { holder, posts, handedOver, told, deleted } = world;
  const left = world.leftBy();
  const known = stored.at(-1)?.known;
  if (holder === null || deleted || left === null)
    return [posts > 1 && `it was sent ${posts} times`];
  const says = known?.held?.broke_at;
  return [
    posts !== 1 && `it was sent ${posts} times`,
    handedOver === 0 && "it was never handed over",
    told === null && "the Recorder was never told",
    known === undefined && "it is not recorded",
    says !== left.broke_at && `it broke at ${left.broke_at}, and the record says ${says}`,
    left.broke_at === null && !isEnd(known?.status ?? null) && "its end is not in the record",
  ];
}

/** Looks are far apart until the Holder tells of the end. */
export function looksBeside({ instances, scenario, handedOver, told }: World): (string | false)[] {
  // Who hands over once more wakes it, and a run after another begins with a look.
  const called = scenario.arrivals.length + handedOver;
  return instances
    .filter(({ start }) => start.holder !== null)
    .map((instance) => {
      const looks = looksOf(instance).map(({ observation }) => observation);
      const until = looks.findIndex((seen) => seen.channel === "held" || isEnd(seen.status));
      const times = looks
        .slice(0, until === -1 ? undefined : until)
        .map(({ at }) => toSeconds(at))
        .filter((time) => told === null || time < told);
      const soon = times.filter(
        (time, index) => time - (times[index - 1] ?? instance.born) < BESIDE - 1,
      );
      return soon.length > called && `looks at ${soon.join(", ")}`;
    });
}
