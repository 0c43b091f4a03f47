/** Calls a function for each of several items, with a limited number at a time. */
export async function forEachConcurrently<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const left = all.values();
  const turns = Array.from({ length: atOnce }, async () => {
    for (const one of left) await work(one);
  });
  await Promise.all(turns);
}
