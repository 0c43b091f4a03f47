// What fails is drawn from the soak's seed and the thing's name, so that it doesn't depend on what else goes on.

/** How a thing fails: before it has done anything, or after, so that only its answer is lost. */
export type Failure = "before" | "after" | null;

/**
 * Draws whether a thing fails.
 * @param env Holds the soak's settings: the seed, and how many of a thousand fail.
 * @param what The name of the thing.
 */
export function draw(env: Env, what: string): Failure {
  const values: Record<string, unknown> = { ...env };
  const number = hash(`${text(values["SOAK_SEED"])} ${what}`);
  if (number % 1000 >= Number(text(values["SOAK_FAILS"]))) return null;
  return number % 2 === 0 ? "before" : "after";
}

/** Fails, and says so in the log, where the soak counts it. */
export function fail(kind: "kv" | "step", what: string, how: Failure): never {
  console.log(JSON.stringify({ event: "soak_fault", kind, what, how }));
  throw new Error(`the soak lets ${what} fail`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "0";
}

// FNV-1a, then mixed: names that differ in their last character alone must differ everywhere.
function hash(what: string): number {
  let value = 0x811c9dc5;
  for (const character of what) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 15)) >>> 0;
}
