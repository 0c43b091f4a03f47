import type { ExecutionResult, FileEntry } from "./messages.ts";
import { evaluatePrint } from "./print-literal.ts";
import type { PythonWorker } from "./python-worker.ts";

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

/** Resolves to an interpreter that no other session has. */
export type AcquireWorker = (session: Session, signal: AbortSignal) => Promise<PythonWorker>;

/** The calls of one container, one at a time, and the interpreter that has the container's variables. */
export class Session {
  readonly containerId: string;
  readonly #acquireWorker: AcquireWorker;
  worker: PythonWorker | null = null;
  /** The calls that run or wait. */
  pendingCalls = 0;
  #queueTail: Promise<unknown> = Promise.resolve();
  #loadedRevision: number | null = null;
  #closed = false;

  constructor(containerId: string, acquireWorker: AcquireWorker) {
    this.containerId = containerId;
    this.#acquireWorker = acquireWorker;
  }

  /** Runs a task after those already queued. Rejects when its signal fires first. */
  async run(task: ExecutionTask): Promise<ExecutionResult> {
    this.pendingCalls += 1;
    const result = this.#queueTail.then(() => this.#execute(task));
    this.#queueTail = result.catch(() => undefined);
    return result.finally(() => (this.pendingCalls -= 1));
  }

  /** Ends the interpreter; calls that still wait reject. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#endWorker();
  }

  /** The container's variables are lost with the interpreter. */
  async #endWorker(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    this.#loadedRevision = null;
    await worker?.terminate();
  }

  async #execute(task: ExecutionTask): Promise<ExecutionResult> {
    const { workspace, code, timeoutSeconds, signal } = task;
    signal.throwIfAborted();
    this.#throwIfClosed();
    const printed = this.worker === null ? evaluatePrint(code) : null;
    if (printed !== null) return toPrintResult(printed);
    const worker = await this.#prepareWorker(signal);
    signal.throwIfAborted();
    const { revision } = workspace;
    const files = this.#loadedRevision === revision ? null : workspace.files();
    const result = await worker.execute({ code, files }, { signal, timeoutSeconds });
    if (typeof result === "string") await this.#endWorker();
    signal.throwIfAborted();
    if (result === "timeout") {
      return toTerminatedResult(
        `The call was terminated after executionSeconds, ${timeoutSeconds} s.`,
      );
    }
    if (typeof result === "string") return toTerminatedResult(worker.crash);
    // A client may have changed files while the code ran; the interpreter does not have those.
    const isLoaded = workspace.revision === revision;
    workspace.applyResult(result);
    this.#loadedRevision = isLoaded ? workspace.revision : null;
    return result;
  }

  async #prepareWorker(signal: AbortSignal): Promise<PythonWorker> {
    if (this.worker?.hasExited) await this.#endWorker();
    const worker = this.worker ?? (await this.#acquireWorker(this, signal));
    try {
      await worker.waitUntilReady();
      // Its container may have expired while the call waited.
      this.#throwIfClosed();
    } catch (cause) {
      await this.#endWorker();
      throw cause;
    }
    return worker;
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new Error("Container is expired.");
  }
}

function toPrintResult(text: string): ExecutionResult {
  const outputs = [{ type: "logs" as const, logs: text }];
  return { kind: "done", error: null, outputs, changed: [], removed: [] };
}

/** The result of code whose interpreter died. Its outputs and the files that it wrote are lost with the interpreter. */
function toTerminatedResult(message: string): ExecutionResult {
  const error = { message, traceback: message };
  return { kind: "done", error, outputs: [], changed: [], removed: [] };
}
