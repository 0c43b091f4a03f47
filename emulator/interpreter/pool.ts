import type { ExecutionResult } from "./messages.ts";
import { PythonWorker } from "./python-worker.ts";
import { type ExecutionTask, Session } from "./session.ts";

export interface PoolOptions {
  /** How many interpreters are started ahead, for containers to come. */
  spareCount: number;
  /** How many interpreters are alive at most, spares included. It is read whenever one is needed. */
  getMaxCount: () => number;
}

/** One interpreter a container. Beyond the limit, the container that was idle for the longest time loses its interpreter. */
export class InterpreterPool {
  readonly #options: PoolOptions;
  readonly #spares: PythonWorker[] = [];
  /** By container, the least recently used first. */
  readonly #sessions = new Map<string, Session>();
  /** How many runs hold each container's interpreter. */
  readonly #holds = new Map<string, number>();
  #onEvict: (containerId: string) => void = () => undefined;
  #nextRelease = Promise.withResolvers<void>();
  #warmUp: "pending" | "running" | "done" = "pending";
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    void this.#fillSpares();
  }

  /** Sets what is called when a container loses its interpreter to another container. */
  onEvict(listener: (containerId: string) => void): void {
    this.#onEvict = listener;
  }

  /** Runs code in its workspace. Rejects when the signal fires first. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    const session = this.#useSession(task.workspace.id);
    try {
      return await session.run(task);
    } finally {
      this.#dropIfUnused(session);
      this.#notifyWaiting();
      void this.#fillSpares();
    }
  }

  /** Keeps a container's interpreter from other containers, until the returned function is called. Calling that again has no effect. */
  hold(containerId: string): () => void {
    this.#holds.set(containerId, (this.#holds.get(containerId) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const count = (this.#holds.get(containerId) ?? 0) - 1;
      if (count > 0) this.#holds.set(containerId, count);
      else this.#holds.delete(containerId);
      this.#notifyWaiting();
    };
  }

  /** Ends a container's interpreter, and with it the container's Python variables. */
  release(containerId: string): void {
    const session = this.#sessions.get(containerId);
    if (!session) return;
    this.#sessions.delete(containerId);
    void session.close();
    this.#notifyWaiting();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#notifyWaiting();
    const spares = this.#spares.splice(0).map((worker) => worker.terminate());
    await Promise.all([
      ...spares,
      ...[...this.#sessions.values()].map((session) => session.close()),
    ]);
  }

  /** Spares leave room for at least one container. */
  get #maxSpares(): number {
    return Math.min(this.#options.spareCount, this.#options.getMaxCount() - 1);
  }

  get #hasRoom(): boolean {
    const used = [...this.#sessions.values()].filter(({ worker }) => worker !== null);
    return used.length < this.#options.getMaxCount() - this.#maxSpares;
  }

  /** Returns the container's session, and makes it the most recently used one. */
  #useSession(containerId: string): Session {
    const session =
      this.#sessions.get(containerId) ?? new Session(containerId, this.#acquireWorker);
    this.#sessions.delete(containerId);
    this.#sessions.set(containerId, session);
    return session;
  }

  #dropIfUnused(session: Session): void {
    const { containerId, worker, pendingCalls } = session;
    if (worker !== null || pendingCalls > 0) return;
    if (this.#sessions.get(containerId) === session) this.#sessions.delete(containerId);
  }

  /** Gives a session an interpreter: a spare or a new one, in place of another container's if the limit is reached. */
  readonly #acquireWorker = async (
    session: Session,
    signal: AbortSignal,
  ): Promise<PythonWorker> => {
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed) throw new Error("The emulator has been closed.");
      if (this.#makeRoom()) {
        session.worker = this.#takeSpare() ?? new PythonWorker();
        return session.worker;
      }
      await this.#waitForRelease(signal);
    }
  };

  #takeSpare(): PythonWorker | undefined {
    let spare = this.#spares.shift();
    while (spare?.hasExited) spare = this.#spares.shift();
    return spare;
  }

  /** Ends other containers' interpreters while the limit is reached; false if all are in use. */
  #makeRoom(): boolean {
    while (!this.#hasRoom) {
      if (!this.#evictLeastRecent()) return false;
    }
    return true;
  }

  #evictLeastRecent(): boolean {
    const session = [...this.#sessions.values()].find((candidate) => this.#isIdle(candidate));
    if (!session) return false;
    this.release(session.containerId);
    this.#onEvict(session.containerId);
    return true;
  }

  #isIdle({ worker, pendingCalls, containerId }: Session): boolean {
    return worker !== null && pendingCalls === 0 && !this.#holds.has(containerId);
  }

  async #waitForRelease(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener("abort", onAbort);
    await Promise.race([this.#nextRelease.promise, aborted.promise]);
    signal.removeEventListener("abort", onAbort);
  }

  #notifyWaiting(): void {
    this.#nextRelease.resolve();
    this.#nextRelease = Promise.withResolvers();
  }

  /** Starts the missing spares. The first one starts alone, because it may write the snapshot from which the others start faster. */
  async #fillSpares(): Promise<void> {
    if (this.#warmUp === "running") return;
    if (this.#warmUp === "pending" && this.#needsSpare()) {
      this.#warmUp = "running";
      await this.#startSpare();
    }
    this.#warmUp = "done";
    while (this.#needsSpare()) void this.#startSpare();
  }

  #needsSpare(): boolean {
    return !this.#closed && this.#spares.length < this.#maxSpares;
  }

  /** A spare that does not start is dropped. The next one is started after the next call, which gets the error if it fails too. */
  async #startSpare(): Promise<void> {
    const worker = new PythonWorker();
    this.#spares.push(worker);
    try {
      await worker.waitUntilReady();
    } catch {
      const index = this.#spares.indexOf(worker);
      if (index >= 0) this.#spares.splice(index, 1);
    }
  }
}
