// How much a property is tried, and with what: some hundred times in every test run, far more in the long ones.

/** Whether the long tests run. */
export const LONG = process.env["LONG_TESTS"] === "1";
/** The same in every run, so that what passes today passes tomorrow; another one looks elsewhere. */
export const SEED = Number(process.env["SEED"] ?? 7);

/**
 * How often a property is tried, and the seed of what it is tried with.
 * @param short In every test run; the long ones try it ten times as often.
 */
export function runs(short: number): { numRuns: number; seed: number } {
  return { numRuns: LONG ? short * 10 : short, seed: SEED };
}
