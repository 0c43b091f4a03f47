// What reaches the Worker, and when.
import type { Random } from "./random.ts";

/** A request that reaches the Worker. */
export type Arrival = {
  at: number;
  what: "trigger" | "webhook" | "refetch" | "cancel" | "delete" | "evict";
};

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

type Base = {
  ours: boolean;
  end: number | null;
  unknown: boolean;
  stream: { kind: "held" | "followed" } | null;
};

/** Draws what arrives. Webhooks come once, twice, late, early, or not at all. That of an external response is the first event of it. */
export function drawArrivals(random: Random, calm: boolean, base: Base): Arrival[] {
  const { ours, end, unknown, stream } = base;
  const isHeld = stream?.kind === "held";
  const arrivals: Arrival[] = [];
  const ended = unknown || end === null ? random.between(0, 60) : end;
  const first = { at: ended + random.between(0, 1), what: "webhook" } as const;
  // OpenAI promises no webhook for a run in the foreground.
  const lost = isHeld ? calm || random.chance(0.9) : ours && !calm && random.chance(0.15);
  const isPunctual = calm || stream !== null;
  const late = isPunctual ? 0 : random.pick([0, 0, 0, ended + 0.5, ended + random.between(0, 120)]);
  // The trigger can die between the create and the start: then the webhook finds its options in the metadata.
  if (ours && (calm || stream !== null || random.chance(0.97)))
    arrivals.push({ at: late, what: "trigger" });
  if (!lost && (end !== null || !ours)) arrivals.push(first);
  if (calm) return arrivals.concat(random.chance(0.05) ? afterwards(random, ended) : []);
  if (random.chance(0.07)) arrivals.push({ at: ended * random.next(), what: "cancel" });
  const again = isHeld ? 0 : 0.3;
  while (random.chance(again)) {
    const after = random.pick([0, 1, 60, 900, HOUR_SECONDS, 40 * HOUR_SECONDS]) * random.next();
    arrivals.push({ at: ended + after, what: "webhook" });
  }
  if (!isHeld && random.chance(0.05)) arrivals.push({ at: ended * random.next(), what: "webhook" });
  while (random.chance(0.1))
    arrivals.push({ at: ended + random.between(-ended, 900), what: "refetch" });
  while (random.chance(0.2))
    arrivals.push({ at: ended + random.between(-ended, 900), what: "evict" });
  if (random.chance(0.15)) arrivals.push(...afterwards(random, ended));
  return arrivals;
}

function afterwards(random: Random, ended: number): Arrival[] {
  const later: Arrival[] = [];
  const day = (low: number) => ended + random.between(low, low + 10) * DAY_SECONDS;
  if (random.chance(0.5)) later.push({ at: day(2), what: "refetch" });
  if (random.chance(0.3)) later.push({ at: day(12), what: random.pick(["refetch", "webhook"]) });
  if (random.chance(0.6)) {
    const at = random.chance(0.3) ? day(14) : ended + random.between(-ended, 300);
    later.push({ at, what: "delete" });
    // Whatever comes after it, in any order.
    while (random.chance(0.4)) {
      const after = at + random.pick([0, 5, 600, 60 * HOUR_SECONDS]) * random.next();
      later.push({ at: after, what: random.pick(["webhook", "refetch", "delete"]) });
    }
  }
  return later;
}
