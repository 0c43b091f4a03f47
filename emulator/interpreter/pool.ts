import type { ExecutionResult } from "./messages.ts";
import { type ExecutionTask, PythonWorker } from "./python-worker.ts";

/** A fixed number of interpreters. A container stays with one of them, because that one has its Python variables. */
export class InterpreterPool {
  readonly #workers: PythonWorker[];
  readonly #workersByContainer = new Map<string, PythonWorker>();

  /** Starts the interpreters. Size 0 gives one interpreter that starts on demand. */
  constructor(size: number) {
    this.#workers = Array.from({ length: Math.max(1, size) }, () => new PythonWorker());
    if (size > 0) void this.#start();
  }

  /** Runs code in its workspace. Rejects when the signal fires first. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    const { id } = task.workspace;
    const worker = this.#workersByContainer.get(id) ?? this.#findLeastBusy();
    this.#workersByContainer.set(id, worker);
    return worker.run(task);
  }

  /** Deletes a container's Python variables. */
  release(containerId: string): void {
    this.#workersByContainer.get(containerId)?.release(containerId);
    this.#workersByContainer.delete(containerId);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  async #start(): Promise<void> {
    // In sequence: the first start may write the snapshot from which the others start faster.
    for (const worker of this.#workers) await worker.start().catch(() => undefined);
  }

  #findLeastBusy(): PythonWorker {
    const [first, ...others] = this.#workers;
    if (!first) throw new Error("A pool needs at least one interpreter.");
    return others.reduce(
      (best, worker) => (worker.queueLength < best.queueLength ? worker : best),
      first,
    );
  }
}
