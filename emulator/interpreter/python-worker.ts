import { Worker } from "node:worker_threads";
import { toErrorMessage } from "../lib/error-message.ts";
import { discardSnapshot, loadImage } from "./image.ts";
import type { ExecutionResult, WorkerReply, WorkerRequest } from "./messages.ts";

/** What ends the wait for a reply, other than the reply. */
export type Interruption = "exit" | "abort" | "timeout";

export interface WaitLimits {
  signal?: AbortSignal;
  timeoutSeconds?: number;
}

/** One interpreter in a thread of its own, for one container. It is never restarted: a dead interpreter is replaced by another one. */
export class PythonWorker {
  readonly #ready: Promise<Worker>;
  #thread: Worker | null = null;
  #terminated = false;
  #exited = false;
  #crash = "The interpreter crashed.";

  constructor() {
    this.#ready = this.#start();
    // A spare may fail while nothing waits for it; the call that takes it gets the error.
    this.#ready.catch(() => (this.#exited = true));
  }

  get hasExited(): boolean {
    return this.#exited;
  }

  /** Why it crashed, if it did. */
  get crash(): string {
    return this.#crash;
  }

  /** Resolves when the interpreter can run code; rejects when it did not start. */
  async waitUntilReady(): Promise<void> {
    await this.#ready;
  }

  /** Runs code. After an interruption the interpreter is of no further use, because the code may still be running. */
  async execute(
    request: WorkerRequest,
    limits: WaitLimits,
  ): Promise<ExecutionResult | Interruption> {
    const thread = await this.#ready;
    if (this.#exited) return "exit";
    const nextReply = waitForReply(thread, limits);
    thread.postMessage(request, []);
    const reply = await nextReply;
    if (typeof reply === "string") return reply;
    return reply.kind === "done" ? reply : "exit";
  }

  async terminate(): Promise<void> {
    this.#terminated = true;
    this.#exited = true;
    await this.#thread?.terminate();
  }

  async #start(): Promise<Worker> {
    const workerData = await loadImage();
    if (this.#terminated) throw new Error("The Python interpreter was terminated.");
    const url = new URL("./worker-thread.ts", import.meta.url);
    const thread = new Worker(url, { env: {}, execArgv: [], workerData });
    this.#thread = thread;
    thread
      .on(
        "error",
        (cause) =>
          (this.#crash = `The interpreter crashed: ${toErrorMessage(cause) || "no reason was given"}`),
      )
      .on("exit", () => (this.#exited = true));
    const reply = await waitForReply(thread, {});
    if (typeof reply !== "string") return thread;
    // A corrupt snapshot would make each later start fail too.
    if (!this.#terminated) discardSnapshot();
    throw new Error(`The Python interpreter did not start. ${this.#crash}`);
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
