// JSON arrays as bytes, put together without parsing them.

const EMPTY_ARRAY_BYTES = 2;

/**
 * Items that are added to those of an earlier write, as one JSON array.
 * A write can be repeated that KV has taken already, so items at an end of the one array are not added to the other again.
 */
export function addItems(array: Uint8Array, before: Uint8Array | null): Uint8Array[] {
  if (before === null || startsWith(array, before.subarray(1), array.length - before.length + 1)) {
    return [array];
  }
  return startsWith(before, array.subarray(0, -1)) ? [before] : concatArrays(array, before);
}

function startsWith(bytes: Uint8Array, start: Uint8Array, from = 0): boolean {
  return from >= 0 && start.every((byte, index) => bytes[from + index] === byte);
}

/** Two JSON arrays as one. */
export function concatArrays(array: Uint8Array, before: Uint8Array | null): Uint8Array[] {
  if (before === null || before.length <= EMPTY_ARRAY_BYTES) return [array];
  if (array.length <= EMPTY_ARRAY_BYTES) return [before];
  return [array.subarray(0, -1), new TextEncoder().encode(","), before.subarray(1)];
}
