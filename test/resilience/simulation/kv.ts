// A stand-in for KV whose writes can fail, even after they took effect, and whose reads can be stale.

/** KV shows an older value for this long after a write. */
const MAX_STALE_SECONDS = 60;

type Version = { value: string; writtenAt: number; expiresAt: number };

/** The values of one run, in virtual seconds. */
export class Kv {
  /** All versions of each key, the newest last. A deleted key has none. */
  readonly #versions = new Map<string, Version[]>();
  /** Writes that took effect, by key. */
  readonly writes = new Map<string, number>();

  /** Writes a value. */
  put(key: string, value: string, now: number, expiresAt: number): void {
    const versions = this.#versions.get(key) ?? [];
    this.#versions.set(key, [...versions.slice(-1), { value, writtenAt: now, expiresAt }]);
    this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
  }

  /** Deletes a key. */
  delete(key: string): void {
    this.#versions.delete(key);
  }

  /**
   * Reads a value.
   * @param isStale Whether the reader may get the value before the last one, where it is recent.
   */
  get(key: string, now: number, isStale: boolean): string | null {
    const versions = this.#versions.get(key) ?? [];
    const newest = versions.at(-1);
    if (newest === undefined || newest.expiresAt <= now) return null;
    if (!isStale || now - newest.writtenAt > MAX_STALE_SECONDS) return newest.value;
    return versions.at(-2)?.value ?? null;
  }

  /** The last value that was written, also when it has just expired. */
  newest(key: string): string | null {
    return this.#versions.get(key)?.at(-1)?.value ?? null;
  }

  /** The keys whose values have not expired. */
  keys(now: number): string[] {
    return [...this.#versions].flatMap(([key, versions]) =>
      (versions.at(-1)?.expiresAt ?? 0) > now ? [key] : [],
    );
  }
}
