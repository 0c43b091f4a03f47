// Faults are drawn from the soak's seed and the name of an operation, so that they do not depend on anything else.

/** When an operation fails: before it has done anything, or after it, so that only its answer is lost. */
export type FaultMoment = "before" | "after" | null;

/** `death`: a Recorder dies. `connection_death`: a Connection does. `connection_call`: a call to a Connection fails. `recorder_call`: a Connection's call to its Recorder fails. */
export type FaultKind =
  | "kv"
  | "catalog"
  | "death"
  | "connection_death"
  | "connection_call"
  | "recorder_call";

/** How often each operation was done. An object's own memory would forget it when the object dies, and the same death would be drawn again. */
const counts = new Map<string, number>();

/** Names an operation with its number: each repetition draws again. */
export function countOperation(operation: string): string {
  const count = (counts.get(operation) ?? 0) + 1;
  counts.set(operation, count);
  return `${operation}, number ${count}`;
}

/**
 * Draws whether an operation fails.
 * @param env Has the soak's seed, and how many of a thousand operations fail.
 * @param times How much more often than others it does.
 */
export function drawFault(env: Env, operation: string, times = 1): FaultMoment {
  const number = hash(`${toSeed(env)} ${operation}`);
  if (number % 1000 >= Number(getSetting(env, "SOAK_FAILS")) * times) return null;
  return number % 2 === 0 ? "before" : "after";
}

/** Draws a number from 0 to below a limit. */
export function drawNumber(env: Env, operation: string, limit: number): number {
  return hash(`${toSeed(env)} ${operation}, its size`) % limit;
}

/** Logs a fault, which the soak counts. */
export function logFault(kind: FaultKind, operation: string, how: FaultMoment): void {
  console.log(JSON.stringify({ event: "soak_fault", kind, operation, how }));
}

/** Logs a fault, and throws. */
export function throwFault(kind: FaultKind, operation: string, how: FaultMoment): never {
  logFault(kind, operation, how);
  throw new Error(`A fault of the soak: ${operation}`);
}

// A restart begins to count the operations again.
function toSeed(env: Env): string {
  return `${getSetting(env, "SOAK_SEED")} ${getSetting(env, "SOAK_START")}`;
}

function getSetting(env: Env, name: string): string {
  const values: Record<string, unknown> = { ...env };
  const value = values[name];
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
