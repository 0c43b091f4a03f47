// How the webhook of one response travels: which letters are sent, when, and how they are signed.
import type { Random } from "../simulation/random.ts";
import { weighted } from "./weighted.ts";

/** How a letter is signed. `old`: with the secret before the rotation; `stale`: rightly, but ten minutes ago. */
export type Signed = "right" | "old" | "both" | "wrong" | "stale";

/** One copy of a webhook, sent so many seconds after the response's end. */
export type Letter = { after: number; signed: Signed };

/** The letters of a response, and what is the matter with them. */
export type Mail = { name: string; letters: Letter[] };

type Way = { name: string; letters: (random: Random, deadline: number) => Letter[] };

const WAYS: [Way, number][] = [
  [{ name: "as it should be", letters: () => [right(0)] }, 30],
  [{ name: "dropped", letters: () => [] }, 12],
  [{ name: "out of order", letters: (random) => [right(random.between(0.2, 4))] }, 14],
  [{ name: "sent up to five times", letters: many }, 12],
  [
    {
      name: "past the deadline",
      letters: (random, deadline) => [right(deadline + random.between(1, 5))],
    },
    8,
  ],
  [{ name: "at the same millisecond", letters: () => [right(0.1), right(0.1), right(0.1)] }, 8],
  [{ name: "signed with the old secret", letters: () => [{ after: 0, signed: "old" }] }, 5],
  [{ name: "signed with both secrets", letters: () => [{ after: 0, signed: "both" }] }, 3],
  [
    {
      name: "forged first",
      letters: (random) => [{ after: 0, signed: "wrong" }, right(random.between(0.1, 1))],
    },
    4,
  ],
  [
    {
      name: "stale first",
      letters: (random) => [{ after: 0, signed: "stale" }, right(random.between(0.1, 1))],
    },
    4,
  ],
];

/** For what nobody else tells of: letters that must open no door. */
const FORGED: [Way, number][] = [
  [{ name: "forged only", letters: () => [{ after: 0, signed: "wrong" }] }, 1],
  [{ name: "stale only", letters: () => [{ after: 0, signed: "stale" }] }, 1],
];

/**
 * Draws the mail of a response.
 * @param random The response's numbers.
 * @param of Whether another program started it, and WEBHOOK_DEADLINE.
 */
export function drawMail(random: Random, of: { strange: boolean; deadline: number }): Mail {
  const ways = of.strange && random.chance(0.2) ? FORGED : WAYS;
  const { name, letters } = weighted(random, ways);
  return { name, letters: letters(random, of.deadline) };
}

function many(random: Random): Letter[] {
  return Array.from({ length: random.whole(2, 5) }, () => right(random.between(0, 3)));
}

function right(after: number): Letter {
  return { after, signed: "right" };
}
