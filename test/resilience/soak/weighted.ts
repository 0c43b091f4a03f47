// One of several things, by their weights.
import type { Random } from "../simulation/random.ts";

/** Draws one of several. */
export function weighted<T>(random: Random, choices: readonly (readonly [T, number])[]): T {
  let left = random.between(
    0,
    choices.reduce((total, [, weight]) => total + weight, 0),
  );
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new Error("there is nothing to draw from");
}
