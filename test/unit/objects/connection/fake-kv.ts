// A Durable Object's synchronous key-value storage, in memory.

/** Keys are listed in the order of their names, as the platform lists them. */
export class FakeKv implements SyncKvStorage {
  readonly #values = new Map<string, unknown>();

  get size(): number {
    return this.#values.size;
  }

  get<T>(key: string): T | undefined;
  get(key: string): unknown {
    return this.#values.get(key);
  }

  put<T>(key: string, value: T): void {
    this.#values.set(key, structuredClone(value));
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
  }

  list<T>(options?: SyncKvListOptions): Iterable<[string, T]>;
  list({ prefix = "", start = "", reverse = false, limit }: SyncKvListOptions = {}): Iterable<
    [string, unknown]
  > {
    const found = [...this.#values].filter(([key]) => key.startsWith(prefix) && key >= start);
    const sorted = found.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return (reverse ? sorted.toReversed() : sorted).slice(0, limit);
  }
}
