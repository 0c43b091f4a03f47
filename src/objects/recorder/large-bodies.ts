// Bodies of megabytes take several times their size in memory, and all objects of an isolate share 128 MB.
// https://developers.cloudflare.com/durable-objects/platform/limits/

/** Large bodies that are under way in an isolate at once; the others wait. */
const MAX_LARGE_BODIES = 2;

let used = 0;
const waiting: (() => void)[] = [];

/**
 * Waits until there is room for another large body in this isolate.
 * @returns Frees the room. It may be called more than once.
 */
export async function reserveLargeBody(): Promise<() => void> {
  if (used >= MAX_LARGE_BODIES) {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await promise;
  } else used += 1;
  let isReserved = true;
  return () => {
    if (!isReserved) return;
    isReserved = false;
    const next = waiting.shift();
    if (next === undefined) used -= 1;
    else next();
  };
}
