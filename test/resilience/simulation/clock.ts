// Virtual time: when everything that can run has run, the clock jumps to the next timer.

const START = Date.UTC(2026, 0, 1);

type Timer = { at: number; run: (() => void) | null };

/** The virtual time of one response, in seconds after its start. */
export class Clock {
  #milliseconds = 0;
  readonly #timers: Timer[] = [];

  /** Seconds since the start. */
  get now(): number {
    return this.#milliseconds / 1000;
  }

  /**
   * Runs something later. Of two timers for the same moment the earlier one runs first.
   * @returns Cancels the timer.
   */
  after(seconds: number, run: () => void): () => void {
    const at = this.#milliseconds + Math.max(0, Math.round(seconds * 1000));
    const timer: Timer = { at, run };
    const later = this.#timers.findIndex((other) => other.at > at);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return () => {
      timer.run = null;
    };
  }

  /** Runs until no timer is left. */
  async run(): Promise<void> {
    await flushPromises();
    for (let next = this.#timers.shift(); next !== undefined; next = this.#timers.shift()) {
      if (next.run === null) continue;
      this.#milliseconds = next.at;
      next.run();
      await flushPromises();
    }
  }
}

/** The time in ISO 8601 of virtual seconds. */
export function toTime(seconds: number): string {
  return new Date(START + Math.round(seconds * 1000)).toISOString();
}

/** The virtual seconds of a time. */
export function toSeconds(time: string): number {
  return (Date.parse(time) - START) / 1000;
}

// All promises that can settle do so before the next turn of the event loop.
function flushPromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
