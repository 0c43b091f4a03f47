import { Worker } from "node:worker_threads";
import type { ExecutionResult, WorkerReply, WorkerRequest } from "./messages.ts";

/** What ends the wait for a reply, other than the reply. */
export type Interruption = "exit" | "abort" | "timeout";

export interface WaitLimits {
  signal?: AbortSignal;
  timeoutSeconds?: number;
}

/** One interpreter in a thread of its own, for one container. It is never restarted: a dead interpreter is replaced by another one. */
export class PythonWorker {
  readonly #thread: Worker;
  readonly #ready: Promise<void>;
  #exited = false;

  constructor() {
    this.#thread = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      env: {},
      execArgv: [],
    });
    // Without a listener for "error", an interpreter that crashes would end the emulator.
    this.#thread.on("error", () => undefined).on("exit", () => (this.#exited = true));
    this.#ready = this.#waitUntilReady();
    // A spare may fail while nothing waits for it; the call that takes it gets the error.
    this.#ready.catch(() => undefined);
  }

  get hasExited(): boolean {
    return this.#exited;
  }

  /** Resolves when the interpreter can run code; rejects when it did not start. */
  waitUntilReady(): Promise<void> {
    return this.#ready;
  }

  /** Runs code; the interpreter must be ready. After an interruption the interpreter is of no further use, because the code may still be running. */
  async execute(
    request: WorkerRequest,
    limits: WaitLimits,
  ): Promise<ExecutionResult | Interruption> {
    if (this.#exited) return "exit";
    const nextReply = waitForReply(this.#thread, limits);
    this.#thread.postMessage(request, []);
    const reply = await nextReply;
    if (typeof reply === "string") return reply;
    return reply.kind === "done" ? reply : "exit";
  }

  async terminate(): Promise<void> {
    this.#exited = true;
    await this.#thread.terminate();
  }

  async #waitUntilReady(): Promise<void> {
    const reply = await waitForReply(this.#thread, {});
    if (typeof reply === "string") throw new Error("The Python interpreter did not start.");
  }
}

/** Resolves to the thread's next message, or to what came before it. */
function waitForReply(
  thread: Worker,
  { signal, timeoutSeconds }: WaitLimits,
): Promise<WorkerReply | Interruption> {
  return new Promise((resolve) => {
    const settle = (reply: WorkerReply | Interruption) => {
      thread.off("message", settle).off("exit", onExit);
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      resolve(reply);
    };
    const onExit = () => settle("exit");
    const onAbort = () => settle("abort");
    const onTimeout = () => settle("timeout");
    thread.on("message", settle).on("exit", onExit);
    signal?.addEventListener("abort", onAbort);
    const timer =
      timeoutSeconds === undefined ? undefined : setTimeout(onTimeout, timeoutSeconds * 1000);
  });
}
