// Faults are drawn from the soak's seed and the name of an operation, so that they do not depend on anything else.

/** When an operation fails: before it has done anything, or after it, so that only its answer is lost. */
export type FaultMoment = "before" | "after" | null;

/**
 * Draws whether an operation fails.
 * @param env Has the soak's seed, and how many of a thousand operations fail.
 */
export function drawFault(env: Env, operation: string): FaultMoment {
  const values: Record<string, unknown> = { ...env };
  const number = hash(`${toText(values["SOAK_SEED"])} ${operation}`);
  if (number % 1000 >= Number(toText(values["SOAK_FAILS"]))) return null;
  return number % 2 === 0 ? "before" : "after";
}

/** Logs the fault, which the soak counts, and throws. */
export function throwFault(kind: "kv" | "step", operation: string, how: FaultMoment): never {
  console.log(JSON.stringify({ event: "soak_fault", kind, operation, how }));
  throw new Error(`A fault of the soak: ${operation}`);
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "0";
}

// FNV-1a, mixed: the hashes of names that differ in their last character must differ everywhere.
function hash(operation: string): number {
  let value = 0x811c9dc5;
  for (const character of operation) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 15)) >>> 0;
}
