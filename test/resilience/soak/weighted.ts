// Draws by weights.
import type { Random } from "../simulation/random.ts";

/** Picks one of several, by their weights. */
export function pickWeighted<T>(random: Random, choices: readonly (readonly [T, number])[]): T {
  let left = random.between(
    0,
    choices.reduce((total, [, weight]) => total + weight, 0),
  );
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new Error("There is nothing to pick from.");
}
