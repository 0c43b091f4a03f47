/** A list of the newest entries, oldest first. Adding one beyond the limit drops the oldest. */
export class History<T> {
  readonly #entries: T[] = [];
  readonly #getLimit: () => number;

  /** The limit is read at each addition, so a changed setting applies at once. */
  constructor(getLimit: () => number) {
    this.#getLimit = getLimit;
  }

  get entries(): readonly T[] {
    return this.#entries;
  }

  add(entry: T): void {
    this.#entries.push(entry);
    this.#entries.splice(0, this.#entries.length - this.#getLimit());
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
