import type { Outcome } from "./messages.ts";
import { Seat, type Task } from "./python-worker.ts";

/** A few interpreters, started ahead. A container stays with one of them, where its names are. */
export class Pool {
  readonly #seats: Seat[];
  readonly #places = new Map<string, Seat>();

  /** With a size of 0 there is one interpreter, which starts when it is first needed. */
  constructor(size: number) {
    this.#seats = Array.from({ length: Math.max(1, size) }, () => new Seat());
    if (size > 0) void this.#start();
  }

  /** Runs a call in its workspace. Rejects when the signal comes first. */
  async run(task: Task): Promise<Outcome> {
    const seat = this.#places.get(task.workspace.id) ?? this.#freest();
    this.#places.set(task.workspace.id, seat);
    return seat.run(task);
  }

  /** Drops the names of a container that is gone. */
  forget(container: string): void {
    this.#places.get(container)?.forget(container);
    this.#places.delete(container);
  }

  async close(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  async #start(): Promise<void> {
    // One after another: the first may leave a snapshot, from which the others start in no time.
    for (const seat of this.#seats) await seat.start().catch(() => undefined);
  }

  #freest(): Seat {
    const [first, ...others] = this.#seats;
    if (!first) throw new Error("A pool needs at least one interpreter.");
    return others.reduce((best, seat) => (seat.waiting < best.waiting ? seat : best), first);
  }
}
