// The length of tests: properties try some hundred cases in every run, and ten times as many in the long tests.

/** Whether the long tests run: `npm run test:long` and `npm run test:all`. */
export const LONG = process.env["LONG_TESTS"] === "1";
/** The seed of properties. It is fixed, so that what passes today passes tomorrow; `SEED=8` tries other cases. */
export const SEED = Number(process.env["SEED"] ?? 7);

/**
 * Returns fast-check's parameters for a property.
 * @param short Cases in a short run. A long run tries ten times as many.
 */
export function runs(short: number): { numRuns: number; seed: number } {
  return { numRuns: LONG ? short * 10 : short, seed: SEED };
}
