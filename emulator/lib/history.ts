import { estimateBytes } from "./estimate-bytes.ts";

const MAX_HISTORY_BYTES = 128 * 2 ** 20;

/** A list of the newest entries, oldest first. Adding one beyond the limit of entries or of memory drops the oldest. */
export class History<T> {
  readonly #entries: T[] = [];
  readonly #sizes: number[] = [];
  readonly #getLimit: () => number;
  #totalBytes = 0;

  /** The limit is read at each addition, so a changed setting applies at once. */
  constructor(getLimit: () => number) {
    this.#getLimit = getLimit;
  }

  get entries(): readonly T[] {
    return this.#entries;
  }

  add(entry: T): void {
    const size = estimateBytes(entry);
    this.#entries.push(entry);
    this.#sizes.push(size);
    this.#totalBytes += size;
    while (this.#isFull()) this.#dropOldest();
  }

  clear(): void {
    this.#entries.length = 0;
    this.#sizes.length = 0;
    this.#totalBytes = 0;
  }

  /** The newest entry stays, however large it is. */
  #isFull(): boolean {
    const { length } = this.#entries;
    return length > this.#getLimit() || (length > 1 && this.#totalBytes > MAX_HISTORY_BYTES);
  }

  #dropOldest(): void {
    this.#entries.shift();
    this.#totalBytes -= this.#sizes.shift() ?? 0;
  }
}
