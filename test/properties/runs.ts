// How much a property is tried: some hundred times in every test run, far more in the long ones.

/** Whether the long tests run. */
export const LONG = process.env["LONG_TESTS"] === "1";

/**
 * How often a property is tried.
 * @param short In every test run; the long ones try it ten times as often.
 */
export function runs(short: number): { numRuns: number } {
  return { numRuns: LONG ? short * 10 : short };
}
