import { Worker } from "node:worker_threads";
import type { ExecutionResult, FileEntry, WorkerReply, WorkerRequest } from "./messages.ts";

/** A container's files as an interpreter needs them. They outlive the interpreter. */
export interface Workspace {
  id: string;
  /** Changes whenever a file changes. */
  revision: number;
  files(): FileEntry[];
  applyResult(result: ExecutionResult): void;
}

export interface ExecutionTask {
  workspace: Workspace;
  code: string;
  timeoutSeconds: number;
  signal: AbortSignal;
}

/** The result of code whose interpreter was terminated. Its outputs and files are lost with the interpreter. */
const TERMINATED_RESULT: ExecutionResult = {
  kind: "done",
  raised: true,
  outputs: [],
  changed: [],
  removed: [],
};

/** Runs tasks one at a time in an interpreter thread, and restarts the thread when it dies or times out. */
export class PythonWorker {
  #thread: Worker | null = null;
  #readyThread: Promise<Worker> | null = null;
  #queueTail: Promise<unknown> = Promise.resolve();
  #loadedRevision = "";
  #closed = false;
  queueLength = 0;

  /** Starts the interpreter if it is not running; resolves when it is ready. */
  start(): Promise<Worker> {
    this.#readyThread ??= this.#startThread();
    return this.#readyThread;
  }

  /** Runs a task after those already queued. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    this.queueLength += 1;
    const result = this.#queueTail.then(() => this.#execute(task));
    this.#queueTail = result.catch(() => undefined);
    return result.finally(() => (this.queueLength -= 1));
  }

  /** Deletes a container's Python variables. */
  release(containerId: string): void {
    if (this.#thread) postRequest(this.#thread, { kind: "release", containerId });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#terminate();
  }

  async #execute({
    workspace,
    code,
    timeoutSeconds,
    signal,
  }: ExecutionTask): Promise<ExecutionResult> {
    signal.throwIfAborted();
    const thread = await this.start();
    signal.throwIfAborted();
    const files = this.#loadedRevision === toRevisionKey(workspace) ? null : workspace.files();
    const nextReply = waitForReply(thread, { signal, timeoutSeconds });
    postRequest(thread, { kind: "run", containerId: workspace.id, code, files });
    const reply = await nextReply;
    const result = reply?.kind === "done" ? reply : null;
    if (!result) await this.#restart();
    signal.throwIfAborted();
    if (!result) return TERMINATED_RESULT;
    workspace.applyResult(result);
    this.#loadedRevision = toRevisionKey(workspace);
    return result;
  }

  async #restart(): Promise<void> {
    await this.#terminate();
    // The next task awaits the same start, and gets its error.
    this.start().catch(() => undefined);
  }

  async #terminate(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#discard(thread);
    await thread.terminate();
  }

  #discard(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#readyThread = null;
    this.#loadedRevision = "";
  }

  async #startThread(): Promise<Worker> {
    if (this.#closed) throw new Error("The emulator has been closed.");
    const thread = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      env: {},
      execArgv: [],
    });
    this.#thread = thread;
    // Without a listener for "error", an interpreter that crashes would end the emulator.
    thread.on("error", () => undefined).on("exit", () => this.#discard(thread));
    const reply = await waitForReply(thread);
    if (reply?.kind !== "ready") throw new Error("The Python interpreter did not start.");
    return thread;
  }
}

/** Identifies the files that an interpreter has loaded. */
function toRevisionKey({ id, revision }: Workspace): string {
  return `${id} ${revision}`;
}

function postRequest(thread: Worker, request: WorkerRequest): void {
  thread.postMessage(request, []);
}

interface WaitLimits {
  signal?: AbortSignal;
  timeoutSeconds?: number;
}

/** Resolves to the thread's next message; null when it exits, the signal fires, or the time is over. */
function waitForReply(
  thread: Worker,
  { signal, timeoutSeconds }: WaitLimits = {},
): Promise<WorkerReply | null> {
  return new Promise((resolve) => {
    const settle = (reply: WorkerReply | null) => {
      thread.off("message", settle).off("exit", fail);
      signal?.removeEventListener("abort", fail);
      clearTimeout(timer);
      resolve(reply);
    };
    const fail = () => settle(null);
    thread.on("message", settle).on("exit", fail);
    signal?.addEventListener("abort", fail);
    const timer =
      timeoutSeconds === undefined ? undefined : setTimeout(fail, timeoutSeconds * 1000);
  });
}
