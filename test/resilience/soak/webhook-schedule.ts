// How the webhook of one response is delivered: how often, when, and with which signature.
import type { Random } from "../simulation/random.ts";
import { pickWeighted } from "./weighted.ts";

/** How a delivery is signed. `old`: with the secret before the rotation; `stale`: with the right secret, but ten minutes ago. */
export type SignatureKind = "right" | "old" | "both" | "wrong" | "stale";

/** A delivery, counted from the end of the response. */
export type PlannedDelivery = { afterSeconds: number; signature: SignatureKind };

/** The deliveries of a webhook, and what is special about them. */
export type WebhookSchedule = { name: string; deliveries: PlannedDelivery[] };

type ScheduleKind = {
  name: string;
  createDeliveries: (random: Random, deadlineSeconds: number) => PlannedDelivery[];
};

const SCHEDULES: [ScheduleKind, number][] = [
  [{ name: "once, at once", createDeliveries: () => [signedAfter(0)] }, 30],
  [{ name: "dropped", createDeliveries: () => [] }, 12],
  [
    { name: "out of order", createDeliveries: (random) => [signedAfter(random.between(0.2, 4))] },
    14,
  ],
  [{ name: "sent up to five times", createDeliveries: createMany }, 12],
  [
    {
      name: "past the deadline",
      createDeliveries: (random, deadlineSeconds) => [
        signedAfter(deadlineSeconds + random.between(1, 5)),
      ],
    },
    8,
  ],
  [
    {
      name: "at the same millisecond",
      createDeliveries: () => [signedAfter(0.1), signedAfter(0.1), signedAfter(0.1)],
    },
    8,
  ],
  [
    {
      name: "signed with the old secret",
      createDeliveries: () => [{ afterSeconds: 0, signature: "old" }],
    },
    5,
  ],
  [
    {
      name: "signed with both secrets",
      createDeliveries: () => [{ afterSeconds: 0, signature: "both" }],
    },
    3,
  ],
  [
    {
      name: "forged first",
      createDeliveries: (random) => [
        { afterSeconds: 0, signature: "wrong" },
        signedAfter(random.between(0.1, 1)),
      ],
    },
    4,
  ],
  [
    {
      name: "stale first",
      createDeliveries: (random) => [
        { afterSeconds: 0, signature: "stale" },
        signedAfter(random.between(0.1, 1)),
      ],
    },
    4,
  ],
];

/** For external responses: without a valid webhook they must not be recorded. */
const FORGED_SCHEDULES: [ScheduleKind, number][] = [
  [{ name: "forged only", createDeliveries: () => [{ afterSeconds: 0, signature: "wrong" }] }, 1],
  [{ name: "stale only", createDeliveries: () => [{ afterSeconds: 0, signature: "stale" }] }, 1],
];

/**
 * Draws the deliveries of a webhook.
 * @param of `external`: another program started the response. `deadlineSeconds`: the setting WEBHOOK_DEADLINE.
 */
export function drawWebhookSchedule(
  random: Random,
  of: { external: boolean; deadlineSeconds: number },
): WebhookSchedule {
  const schedules = of.external && random.chance(0.2) ? FORGED_SCHEDULES : SCHEDULES;
  const { name, createDeliveries } = pickWeighted(random, schedules);
  return { name, deliveries: createDeliveries(random, of.deadlineSeconds) };
}

function createMany(random: Random): PlannedDelivery[] {
  return Array.from({ length: random.whole(2, 5) }, () => signedAfter(random.between(0, 3)));
}

function signedAfter(afterSeconds: number): PlannedDelivery {
  return { afterSeconds, signature: "right" };
}
