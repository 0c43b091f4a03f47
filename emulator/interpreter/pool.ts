import type { ExecutionResult } from "./messages.ts";
import { PythonWorker, type ExecutionTask } from "./python-worker.ts";

/** A few interpreters, started ahead. A container stays with one of them, where its names are. */
export class InterpreterPool {
  readonly #workers: PythonWorker[];
  readonly #workerByContainer = new Map<string, PythonWorker>();

  /** With a size of 0 there is one interpreter, which starts when it is first needed. */
  constructor(size: number) {
    this.#workers = Array.from({ length: Math.max(1, size) }, () => new PythonWorker());
    if (size > 0) void this.#start();
  }

  /** Runs a call in its workspace. Rejects when the signal comes first. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    const seat = this.#workerByContainer.get(task.workspace.id) ?? this.#leastBusyWorker();
    this.#workerByContainer.set(task.workspace.id, seat);
    return seat.run(task);
  }

  /** Drops the names of a container that is gone. */
  releaseContainer(container: string): void {
    this.#workerByContainer.get(container)?.releaseContainer(container);
    this.#workerByContainer.delete(container);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((seat) => seat.close()));
  }

  async #start(): Promise<void> {
    // One after another: the first may leave a snapshot, from which the others start in no time.
    for (const seat of this.#workers) await seat.start().catch(() => undefined);
  }

  #leastBusyWorker(): PythonWorker {
    const [first, ...others] = this.#workers;
    if (!first) throw new Error("A pool needs at least one interpreter.");
    return others.reduce(
      (best, seat) => (seat.queueLength < best.queueLength ? seat : best),
      first,
    );
  }
}
