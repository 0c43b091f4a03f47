// Virtual time. Nothing waits for real: when all that can run has run, the clock jumps to the next timer.

const BEGIN = Date.UTC(2026, 0, 1);

type Timer = { at: number; run: (() => void) | null };

/** One response's time, in seconds after its beginning. */
export class Clock {
  #milliseconds = 0;
  readonly #timers: Timer[] = [];

  /** Seconds since the beginning. */
  get now(): number {
    return this.#milliseconds / 1000;
  }

  /**
   * Does something later; what was asked for first happens first.
   * @returns Takes it back.
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
    await settled();
    for (let next = this.#timers.shift(); next !== undefined; next = this.#timers.shift()) {
      if (next.run === null) continue;
      this.#milliseconds = next.at;
      next.run();
      await settled();
    }
  }
}

/** The time that virtual seconds stand for. */
export function toTime(seconds: number): string {
  return new Date(BEGIN + Math.round(seconds * 1000)).toISOString();
}

/** The virtual seconds that a time stands for. */
export function toSeconds(time: string): number {
  return (Date.parse(time) - BEGIN) / 1000;
}

// Every promise that can be settled is, before the next turn of the event loop.
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
