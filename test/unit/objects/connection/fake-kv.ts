// A Durable Object's synchronous key-value storage, in memory.
import { z } from "zod";

/** The platform's types let the caller say what a key holds. */
const Value = z.custom<never>();

/** Keys are listed in the order of their names, as the platform lists them. */
export class FakeKv implements SyncKvStorage {
  readonly #values = new Map<string, unknown>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): undefined {
    return Value.optional().parse(this.#values.get(key));
  }

  put(key: string, value: unknown): void {
    this.#values.set(key, structuredClone(value));
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
  }

  list({ prefix = "", start = "", reverse = false, limit }: SyncKvListOptions = {}): Iterable<
    [string, never]
  > {
    const found = [...this.#values].filter(([key]) => key.startsWith(prefix) && key >= start);
    const sorted = found.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const entries = (reverse ? sorted.toReversed() : sorted).slice(0, limit);
    return entries.map(([key, value]) => [key, Value.parse(value)]);
  }
}
