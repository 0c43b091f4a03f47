import { Worker } from "node:worker_threads";
import type { File, Job, Outcome, Report } from "./messages.ts";

/** What a call works in: the files of a container, which outlive any interpreter. */
export interface Workspace {
  id: string;
  /** Changes whenever the files do. */
  revision: number;
  files(): File[];
  apply(outcome: Outcome): void;
}

export interface Task {
  workspace: Workspace;
  code: string;
  /** Seconds the code may take. */
  seconds: number;
  signal: AbortSignal;
}

/** What is left of a call whose interpreter was ended: nothing it showed, nothing it wrote. */
const ENDED: Outcome = { kind: "done", raised: true, outputs: [], changed: [], removed: [] };

/** One place for an interpreter. Works on one task after another, and replaces a dead one. */
export class Seat {
  #worker: Worker | null = null;
  #ready: Promise<Worker> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #filled = "";
  #closed = false;
  waiting = 0;

  /** Starts the interpreter when there is none; gives it when it can work. */
  start(): Promise<Worker> {
    this.#ready ??= this.#boot();
    return this.#ready;
  }

  /** Runs a task when those before it are done. */
  async run(task: Task): Promise<Outcome> {
    this.waiting += 1;
    const turn = this.#last.then(() => this.#work(task));
    this.#last = turn.catch(() => undefined);
    return turn.finally(() => (this.waiting -= 1));
  }

  forget(container: string): void {
    this.#worker?.postMessage({ kind: "forget", container } satisfies Job, []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #work({ workspace, code, seconds, signal }: Task): Promise<Outcome> {
    signal.throwIfAborted();
    const worker = await this.start();
    signal.throwIfAborted();
    const files = this.#filled === mark(workspace) ? null : workspace.files();
    const answer = message(worker, { signal, seconds });
    worker.postMessage({ kind: "run", container: workspace.id, code, files } satisfies Job, []);
    const report = await answer;
    const done = report?.kind === "done" ? report : null;
    if (!done) await this.#replace();
    signal.throwIfAborted();
    if (!done) return ENDED;
    workspace.apply(done);
    this.#filled = mark(workspace);
    return done;
  }

  async #replace(): Promise<void> {
    await this.#end();
    // Whoever needs it next waits for it, and hears of its failure.
    this.start().catch(() => undefined);
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#lose(worker);
    await worker.terminate();
  }

  #lose(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#ready = null;
    this.#filled = "";
  }

  async #boot(): Promise<Worker> {
    if (this.#closed) throw new Error("The emulator has been closed.");
    const worker = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      env: {},
      execArgv: [],
    });
    this.#worker = worker;
    // An interpreter that crashes is replaced; it must not take the emulator with it.
    worker.on("error", () => undefined).on("exit", () => this.#lose(worker));
    const report = await message(worker);
    if (report?.kind !== "ready") throw new Error("The Python interpreter did not start.");
    return worker;
  }
}

function mark({ id, revision }: Workspace): string {
  return `${id} ${revision}`;
}

interface Limits {
  signal?: AbortSignal;
  seconds?: number;
}

/** The worker's next message; null when it dies, or the signal or the time comes first. */
function message(worker: Worker, { signal, seconds }: Limits = {}): Promise<Report | null> {
  return new Promise((resolve) => {
    const settle = (report: Report | null) => {
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
