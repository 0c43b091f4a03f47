// A stand-in for the Workflow engine: keeps the results of steps, replays them after a crash, and retries steps that throw.
import type { Policy, RecorderParams, RecorderEvent } from "../../../src/record/schema.ts";
import { WAKE, type Hands, type Outcome, type Step } from "../../../src/workflows/hands.ts";
import { follow } from "../../../src/workflows/recorder.ts";
import type { Clock } from "./clock.ts";

type Config = Parameters<Step["do"]>[1];
type Callback<T> = (context: { attempt: number }) => Promise<T>;
type Kept = { value: unknown } | { error: string };

const TIMEOUT_ERROR = new Error("Execution timed out while it waited");

/** Where a crash can interrupt an execution. */
export type CrashPoint =
  | "before a step"
  | "in a step"
  | "before its result is kept"
  | "after it"
  | "in a wait";

/** One execution of a workflow, until the next crash. `followed`: its steps count; `hands`: its activities go on, which they can after the instance is deleted. */
export type Execution = { followed: boolean; hands: boolean };

/** The environment of an instance. */
export type Surroundings = {
  clock: Clock;
  /** Whether it crashes here. */
  crashes(point: CrashPoint): boolean;
  /** Called when it crashes. */
  crashed?(): void;
  /** A number from 0 to below 1. */
  random(): number;
  log(text: string): void;
};

const TIMEOUTS: Record<string, number> = {
  "1 minute": 60,
  "5 minutes": 300,
  "24 hours": 86_400,
};
const DELAYS: Record<string, number> = { "2 seconds": 2, "5 minutes": 300 };

/** The environment of a Recorder. */
type Followed = Surroundings & { policy: Policy; hands(execution: Execution): Hands };

/** One instance, and what the engine keeps of it over crashes. */
export class Run<Result> {
  readonly born: number;
  readonly kept = new Map<string, Kept>();
  /** The steps that have begun, including waits. */
  readonly begun = new Set<string>();
  outcome: Result | null = null;
  /** What the workflow threw; it never should. */
  failed: string | null = null;
  ended: number | null = null;
  readonly #in: Surroundings;
  readonly #workflow: (step: Step, execution: Execution) => Promise<Result>;
  readonly #attempts = new Map<string, number>();
  readonly #thrown = new Map<string, number>();
  readonly #received = new Map<string, RecorderEvent | null>();
  readonly #deadlines = new Map<string, number>();
  readonly #events = new Map<string, RecorderEvent[]>();
  readonly #waiters = new Map<string, () => void>();
  #execution: Execution = { followed: false, hands: false };
  #removed = false;

  constructor(
    surroundings: Surroundings,
    workflow: (step: Step, execution: Execution) => Promise<Result>,
  ) {
    this.#in = surroundings;
    this.#workflow = workflow;
    this.born = surroundings.clock.now;
  }

  /** Runs the workflow from its start; steps whose results are kept are not repeated. */
  begin(): void {
    const execution: Execution = { followed: true, hands: true };
    this.#execution = execution;
    this.#workflow(this.#step(execution), execution).then(
      (outcome) => this.#end(execution, outcome, null),
      (error: unknown) => this.#end(execution, null, String(error)),
    );
  }

  /** Queues an event. An instance that has ended ignores it. */
  send(wake: RecorderEvent, type = WAKE): void {
    if (this.ended !== null) return;
    this.#queue(type).push(wake);
    this.#waiters.get(type)?.();
  }

  /** Deletes the instance. A step that is under way may go on for a while. */
  remove(goesOn: boolean): void {
    this.#removed = true;
    this.#execution.followed = false;
    this.#execution.hands = goesOn;
  }

  #queue(type: string): RecorderEvent[] {
    const events = this.#events.get(type) ?? [];
    this.#events.set(type, events);
    return events;
  }

  #end(execution: Execution, outcome: Result | null, failed: string | null): void {
    if (!execution.followed) return;
    // A pending wait ends with its instance.
    execution.followed = false;
    this.outcome = outcome;
    this.failed = failed;
    this.ended = this.#in.clock.now;
    this.#in.log(`the run ended: ${failed ?? JSON.stringify(outcome)}`);
  }

  #crash(execution: Execution, where: string): void {
    if (!execution.followed || this.ended !== null) return;
    this.#in.log(`crash ${where}`);
    execution.followed = false;
    execution.hands = false;
    this.#waiters.clear();
    this.#in.crashed?.();
    this.#in.clock.after(0.1 + this.#in.random() * 20, () => {
      if (!this.#removed) this.begin();
    });
  }

  #step(execution: Execution): Step {
    return {
      do: (name, config, callback) => this.#do(execution, name, config, callback),
      waitForEvent: (name, { type, timeout }) => this.#wait(execution, name, timeout / 1000, type),
    };
  }

  async #do<T>(
    execution: Execution,
    name: string,
    config: Config,
    callback: Callback<T>,
  ): Promise<T> {
    this.begun.add(name);
    const before = this.kept.get(name);
    if (before !== undefined) return this.#alive(execution, () => toResult(before, callback));
    await this.#mayCrash(execution, "before a step", name);
    const kept = await this.#attempt(execution, name, config, callback);
    await this.#mayCrash(execution, "before its result is kept", name);
    this.kept.set(name, kept);
    await this.#mayCrash(execution, "after it", name);
    return this.#alive(execution, () => toResult(kept, callback));
  }

  async #attempt<T>(
    execution: Execution,
    name: string,
    config: Config,
    callback: Callback<T>,
  ): Promise<Kept> {
    for (;;) {
      const attempt = (this.#attempts.get(name) ?? 0) + 1;
      this.#attempts.set(name, attempt);
      this.#in.log(`step "${name}", attempt ${attempt}`);
      this.#mayCrashWithin(execution, "in a step", 3, name);
      try {
        const value = await this.#within(TIMEOUTS[config.timeout] ?? 0, callback({ attempt }));
        return await this.#alive(execution, () => ({ value: copy(value) }));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        await this.#alive(execution, () => this.#in.log(`step "${name}" threw: ${message}`));
        const thrown = (this.#thrown.get(name) ?? 0) + 1;
        this.#thrown.set(name, thrown);
        if (thrown > config.retries.limit) return { error: message };
        await this.#sleep(delay(config, thrown));
        await this.#alive(execution, () => null);
      }
    }
  }

  async #wait(
    execution: Execution,
    name: string,
    seconds: number,
    type: string,
  ): Promise<{ payload: RecorderEvent }> {
    this.begun.add(name);
    const before = this.#received.get(name);
    if (before !== undefined) return this.#alive(execution, () => toPayload(before));
    const { clock } = this.#in;
    const until = this.#deadlines.get(name) ?? clock.now + seconds;
    this.#deadlines.set(name, until);
    this.#in.log(`step "${name}", until ${until}`);
    await this.#mayCrash(execution, "before a step", name);
    const events = this.#queue(type);
    if (events.length === 0) {
      this.#mayCrashWithin(execution, "in a wait", Math.max(until - clock.now, 0), name);
      await this.#eventOr(until - clock.now, execution, type);
    }
    const [payload] = events.splice(0, 1);
    this.#in.log(payload === undefined ? "nothing came" : `event: ${payload.kind}`);
    this.#received.set(name, payload ?? null);
    await this.#mayCrash(execution, "after it", name);
    return toPayload(payload ?? null);
  }

  #eventOr(seconds: number, execution: Execution, type: string): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!execution.followed || this.#waiters.get(type) !== wake) return;
        this.#waiters.delete(type);
        resolve();
      };
      this.#waiters.set(type, wake);
      this.#in.clock.after(seconds, wake);
    });
  }

  #within<T>(seconds: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`Execution timed out after ${seconds}s`));
      const cancel = this.#in.clock.after(seconds, late);
      void work.then(resolve, reject).then(cancel);
    });
  }

  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#in.clock.after(seconds, resolve);
    });
  }

  async #mayCrash(execution: Execution, point: CrashPoint, name: string): Promise<void> {
    await this.#alive(execution, () => null);
    if (!this.#in.crashes(point)) return;
    this.#crash(execution, `${point} (${name})`);
    await never();
  }

  #mayCrashWithin(execution: Execution, point: CrashPoint, seconds: number, name: string): void {
    if (!this.#in.crashes(point)) return;
    this.#in.clock.after(this.#in.random() * seconds, () =>
      this.#crash(execution, `${point} (${name})`),
    );
  }

  // An interrupted execution never goes on.
  async #alive<T>(execution: Execution, value: () => T): Promise<T> {
    return execution.followed ? value() : never();
  }
}

/** A Recorder. */
export class Instance extends Run<Outcome> {
  readonly start: RecorderParams;

  constructor(start: RecorderParams, surroundings: Followed) {
    super(surroundings, (step, execution) =>
      follow(start, step, surroundings.hands(execution), surroundings.policy),
    );
    this.start = start;
  }
}

// The engine stores results as JSON, and streams as they are.
function copy(value: unknown): unknown {
  if (value instanceof ReadableStream) return value;
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

// The result of a step came from its callback.
function toResult<T>(kept: Kept, from: Callback<T>): T {
  if ("error" in kept) throw new Error(kept.error);
  if (isFrom(kept.value, from)) return kept.value;
  throw new Error("no result");
}

function isFrom<T>(value: unknown, _from: Callback<T>): value is T {
  return value !== undefined;
}

function toPayload(wake: RecorderEvent | null): { payload: RecorderEvent } {
  if (wake === null) throw TIMEOUT_ERROR;
  return { payload: wake };
}

function delay({ retries }: Config, thrown: number): number {
  const first = DELAYS[retries.delay] ?? 0;
  return retries.backoff === "constant" ? first : first * 2 ** (thrown - 1);
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
