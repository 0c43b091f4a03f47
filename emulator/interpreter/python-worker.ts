import { Worker } from "node:worker_threads";
import type { FileEntry, WorkerRequest, ExecutionResult, WorkerReply } from "./messages.ts";

/** What a call works in: the files of a container, which outlive any interpreter. */
export interface Workspace {
  id: string;
  /** Changes whenever the files do. */
  revision: number;
  files(): FileEntry[];
  applyResult(outcome: ExecutionResult): void;
}

export interface ExecutionTask {
  workspace: Workspace;
  code: string;
  /** Seconds the code may take. */
  seconds: number;
  signal: AbortSignal;
}

/** What is left of a call whose interpreter was ended: nothing it showed, nothing it wrote. */
const TERMINATED_RESULT: ExecutionResult = {
  kind: "done",
  raised: true,
  outputs: [],
  changed: [],
  removed: [],
};

/** One place for an interpreter. Works on one task after another, and replaces a dead one. */
export class PythonWorker {
  #thread: Worker | null = null;
  #ready: Promise<Worker> | null = null;
  #queueTail: Promise<unknown> = Promise.resolve();
  #loadedRevision = "";
  #closed = false;
  queueLength = 0;

  /** Starts the interpreter when there is none; gives it when it can work. */
  start(): Promise<Worker> {
    this.#ready ??= this.#startThread();
    return this.#ready;
  }

  /** Runs a task when those before it are done. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    this.queueLength += 1;
    const turn = this.#queueTail.then(() => this.#execute(task));
    this.#queueTail = turn.catch(() => undefined);
    return turn.finally(() => (this.queueLength -= 1));
  }

  releaseContainer(container: string): void {
    this.#thread?.postMessage({ kind: "forget", container } satisfies WorkerRequest, []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#terminate();
  }

  async #execute({ workspace, code, seconds, signal }: ExecutionTask): Promise<ExecutionResult> {
    signal.throwIfAborted();
    const worker = await this.start();
    signal.throwIfAborted();
    const files = this.#loadedRevision === toRevisionKey(workspace) ? null : workspace.files();
    const answer = nextReply(worker, { signal, seconds });
    worker.postMessage(
      { kind: "run", container: workspace.id, code, files } satisfies WorkerRequest,
      [],
    );
    const report = await answer;
    const done = report?.kind === "done" ? report : null;
    if (!done) await this.#restart();
    signal.throwIfAborted();
    if (!done) return TERMINATED_RESULT;
    workspace.applyResult(done);
    this.#loadedRevision = toRevisionKey(workspace);
    return done;
  }

  async #restart(): Promise<void> {
    await this.#terminate();
    // Whoever needs it next waits for it, and hears of its failure.
    this.start().catch(() => undefined);
  }

  async #terminate(): Promise<void> {
    const worker = this.#thread;
    if (!worker) return;
    this.#discard(worker);
    await worker.terminate();
  }

  #discard(worker: Worker): void {
    if (this.#thread !== worker) return;
    this.#thread = null;
    this.#ready = null;
    this.#loadedRevision = "";
  }

  async #startThread(): Promise<Worker> {
    if (this.#closed) throw new Error("The emulator has been closed.");
    const worker = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      env: {},
      execArgv: [],
    });
    this.#thread = worker;
    // An interpreter that crashes is replaced; it must not take the emulator with it.
    worker.on("error", () => undefined).on("exit", () => this.#discard(worker));
    const report = await nextReply(worker);
    if (report?.kind !== "ready") throw new Error("The Python interpreter did not start.");
    return worker;
  }
}

function toRevisionKey({ id, revision }: Workspace): string {
  return `${id} ${revision}`;
}

interface WaitLimits {
  signal?: AbortSignal;
  seconds?: number;
}

/** The worker's next message; null when it dies, or the signal or the time comes first. */
function nextReply(
  worker: Worker,
  { signal, seconds }: WaitLimits = {},
): Promise<WorkerReply | null> {
  return new Promise((resolve) => {
    const settle = (report: WorkerReply | null) => {
      worker.off("message", settle).off("exit", fail);
      signal?.removeEventListener("abort", fail);
      clearTimeout(timer);
      resolve(report);
    };
    const fail = () => settle(null);
    worker.on("message", settle).on("exit", fail);
    signal?.addEventListener("abort", fail);
    const timer = seconds === undefined ? undefined : setTimeout(fail, seconds * 1000);
  });
}
