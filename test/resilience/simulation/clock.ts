// Virtual time: the clock jumps from one timer to the next.

const START = Date.UTC(2026, 0, 1);

type Timer = { atMs: number; order: number; run: (() => void) | null };

/** The virtual time of one run. */
export class Clock {
  #elapsedMs = 0;
  #order = 0;
  /** A binary heap, the next timer first. */
  readonly #timers: Timer[] = [];

  /** Seconds since the start. */
  get seconds(): number {
    return this.#elapsedMs / 1000;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return START + this.#elapsedMs;
  }

  /**
   * Runs something later. Of two timers for the same moment the one that was set first runs first.
   * @returns Cancels the timer.
   */
  after(seconds: number, run: () => void): () => void {
    const atMs = this.#elapsedMs + Math.max(0, Math.round(seconds * 1000));
    const timer: Timer = { atMs, order: (this.#order += 1), run };
    this.#push(timer);
    return () => {
      timer.run = null;
    };
  }

  /**
   * Runs until no timer is left.
   * @param maxTimers After that many the run counts as one that never ends.
   * @returns Whether it ended.
   */
  run(maxTimers: number): boolean {
    for (let count = 0; count < maxTimers; count += 1) {
      const next = this.#pop();
      if (next === undefined) return true;
      if (next.run === null) continue;
      this.#elapsedMs = next.atMs;
      next.run();
    }
    return false;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    heap.push(timer);
    for (let index = heap.length - 1; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) break;
      index = parent;
    }
  }

  #pop(): Timer | undefined {
    const heap = this.#timers;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const child = isEarlier(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, index)) break;
      index = child;
    }
    return first;
  }

  #swapIfEarlier(index: number, parent: number): boolean {
    const heap = this.#timers;
    const [one, other] = [heap[index], heap[parent]];
    if (one === undefined || other === undefined || !isEarlier(one, other)) return false;
    heap[index] = other;
    heap[parent] = one;
    return true;
  }
}

function isEarlier(one: Timer | undefined, other: Timer | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** The time in ISO 8601 of virtual seconds. */
export function toTime(seconds: number): string {
  return new Date(START + Math.round(seconds * 1000)).toISOString();
}

/** The virtual seconds of a time. */
export function toSeconds(time: string): number {
  return (Date.parse(time) - START) / 1000;
}
