// A stand-in for the Workflow engine: keeps the results of steps, replays them after a crash, tries again what throws.
import type { Policy, RecorderParams, RecorderEvent } from "../../../src/record/schema.ts";
import { WAKE, type Hands, type Outcome, type Step } from "../../../src/workflows/hands.ts";
import { follow } from "../../../src/workflows/recorder.ts";
import type { Clock } from "./clock.ts";

type Config = Parameters<Step["do"]>[1];
type Callback<T> = (context: { attempt: number }) => Promise<T>;
type Kept = { value: unknown } | { error: string };

const TIMED_OUT = new Error("Execution timed out while it waited");

/** Where a crash can cut a run off. */
export type CrashPoint =
  | "before a step"
  | "in a step"
  | "before its result is kept"
  | "after it"
  | "in a wait";

/** One run of the story, until the next crash. What it started ends with it, but for what outlives its instance's deletion. */
export type Life = { followed: boolean; hands: boolean };

/** What an instance runs in. */
export type Surroundings = {
  clock: Clock;
  /** Whether it crashes here. */
  crashes(point: CrashPoint): boolean;
  /** What a crash takes with it. */
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

/** What a Recorder needs besides. */
type Followed = Surroundings & { policy: Policy; hands(life: Life): Hands };

/** One instance: what the engine keeps of it, whatever crashes. */
export class Run<Result> {
  readonly born: number;
  readonly kept = new Map<string, Kept>();
  /** The steps that were begun, waits included. */
  readonly begun = new Set<string>();
  outcome: Result | null = null;
  /** What the story threw, which nothing should make it do. */
  failed: string | null = null;
  ended: number | null = null;
  readonly #in: Surroundings;
  readonly #story: (step: Step, life: Life) => Promise<Result>;
  readonly #attempts = new Map<string, number>();
  readonly #thrown = new Map<string, number>();
  readonly #heard = new Map<string, RecorderEvent | null>();
  readonly #deadlines = new Map<string, number>();
  readonly #events = new Map<string, RecorderEvent[]>();
  readonly #waiters = new Map<string, () => void>();
  #life: Life = { followed: false, hands: false };
  #removed = false;

  constructor(surroundings: Surroundings, story: (step: Step, life: Life) => Promise<Result>) {
    this.#in = surroundings;
    this.#story = story;
    this.born = surroundings.clock.now;
  }

  /** Runs the story from its top; steps whose results are kept are not run again. */
  begin(): void {
    const life: Life = { followed: true, hands: true };
    this.#life = life;
    this.#story(this.#step(life), life).then(
      (outcome) => this.#end(life, outcome, null),
      (error: unknown) => this.#end(life, null, String(error)),
    );
  }

  /** Queues an event. One that has ended takes no notice. */
  send(wake: RecorderEvent, type = WAKE): void {
    if (this.ended !== null) return;
    this.#queue(type).push(wake);
    this.#waiters.get(type)?.();
  }

  /** Deletes the instance. What a step was doing may go on for a while: nobody awaits it any more. */
  remove(goesOn: boolean): void {
    this.#removed = true;
    this.#life.followed = false;
    this.#life.hands = goesOn;
  }

  #queue(type: string): RecorderEvent[] {
    const events = this.#events.get(type) ?? [];
    this.#events.set(type, events);
    return events;
  }

  #end(life: Life, outcome: Result | null, failed: string | null): void {
    if (!life.followed) return;
    // A wait that is left over ends with its instance.
    life.followed = false;
    this.outcome = outcome;
    this.failed = failed;
    this.ended = this.#in.clock.now;
    this.#in.log(`the run ended: ${failed ?? JSON.stringify(outcome)}`);
  }

  #crash(life: Life, where: string): void {
    if (!life.followed || this.ended !== null) return;
    this.#in.log(`crash ${where}`);
    life.followed = false;
    life.hands = false;
    this.#waiters.clear();
    this.#in.crashed?.();
    this.#in.clock.after(0.1 + this.#in.random() * 20, () => {
      if (!this.#removed) this.begin();
    });
  }

  #step(life: Life): Step {
    return {
      do: (name, config, callback) => this.#do(life, name, config, callback),
      waitForEvent: (name, { type, timeout }) => this.#wait(life, name, timeout / 1000, type),
    };
  }

  async #do<T>(life: Life, name: string, config: Config, callback: Callback<T>): Promise<T> {
    this.begun.add(name);
    const before = this.kept.get(name);
    if (before !== undefined) return this.#alive(life, () => revive(before, callback));
    await this.#mayCrash(life, "before a step", name);
    const kept = await this.#attempt(life, name, config, callback);
    await this.#mayCrash(life, "before its result is kept", name);
    this.kept.set(name, kept);
    await this.#mayCrash(life, "after it", name);
    return this.#alive(life, () => revive(kept, callback));
  }

  async #attempt<T>(
    life: Life,
    name: string,
    config: Config,
    callback: Callback<T>,
  ): Promise<Kept> {
    for (;;) {
      const attempt = (this.#attempts.get(name) ?? 0) + 1;
      this.#attempts.set(name, attempt);
      this.#in.log(`step "${name}", attempt ${attempt}`);
      this.#mayCrashWithin(life, "in a step", 3, name);
      try {
        const value = await this.#within(TIMEOUTS[config.timeout] ?? 0, callback({ attempt }));
        return await this.#alive(life, () => ({ value: copy(value) }));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        await this.#alive(life, () => this.#in.log(`step "${name}" threw: ${message}`));
        const thrown = (this.#thrown.get(name) ?? 0) + 1;
        this.#thrown.set(name, thrown);
        if (thrown > config.retries.limit) return { error: message };
        await this.#sleep(delay(config, thrown));
        await this.#alive(life, () => null);
      }
    }
  }

  async #wait(
    life: Life,
    name: string,
    seconds: number,
    type: string,
  ): Promise<{ payload: RecorderEvent }> {
    this.begun.add(name);
    const before = this.#heard.get(name);
    if (before !== undefined) return this.#alive(life, () => heard(before));
    const { clock } = this.#in;
    const until = this.#deadlines.get(name) ?? clock.now + seconds;
    this.#deadlines.set(name, until);
    this.#in.log(`step "${name}", until ${until}`);
    await this.#mayCrash(life, "before a step", name);
    const events = this.#queue(type);
    if (events.length === 0) {
      this.#mayCrashWithin(life, "in a wait", Math.max(until - clock.now, 0), name);
      await this.#eventOr(until - clock.now, life, type);
    }
    const [payload] = events.splice(0, 1);
    this.#in.log(payload === undefined ? "nothing came" : `event: ${payload.kind}`);
    this.#heard.set(name, payload ?? null);
    await this.#mayCrash(life, "after it", name);
    return heard(payload ?? null);
  }

  #eventOr(seconds: number, life: Life, type: string): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!life.followed || this.#waiters.get(type) !== wake) return;
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

  async #mayCrash(life: Life, point: CrashPoint, name: string): Promise<void> {
    await this.#alive(life, () => null);
    if (!this.#in.crashes(point)) return;
    this.#crash(life, `${point} (${name})`);
    await never();
  }

  #mayCrashWithin(life: Life, point: CrashPoint, seconds: number, name: string): void {
    if (!this.#in.crashes(point)) return;
    this.#in.clock.after(this.#in.random() * seconds, () =>
      this.#crash(life, `${point} (${name})`),
    );
  }

  // What a crash has cut off never goes on.
  async #alive<T>(life: Life, value: () => T): Promise<T> {
    return life.followed ? value() : never();
  }
}

/** A Recorder. */
export class Instance extends Run<Outcome> {
  readonly start: RecorderParams;

  constructor(start: RecorderParams, surroundings: Followed) {
    super(surroundings, (step, life) =>
      follow(start, step, surroundings.hands(life), surroundings.policy),
    );
    this.start = start;
  }
}

// A result goes through JSON once: the story changes nothing that it is given. A stream stays what it is.
function copy(value: unknown): unknown {
  if (value instanceof ReadableStream) return value;
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

// What is kept under a step's name came from its callback.
function revive<T>(kept: Kept, from: Callback<T>): T {
  if ("error" in kept) throw new Error(kept.error);
  if (isFrom(kept.value, from)) return kept.value;
  throw new Error("no result");
}

function isFrom<T>(value: unknown, _from: Callback<T>): value is T {
  return value !== undefined;
}

function heard(wake: RecorderEvent | null): { payload: RecorderEvent } {
  if (wake === null) throw TIMED_OUT;
  return { payload: wake };
}

function delay({ retries }: Config, thrown: number): number {
  const first = DELAYS[retries.delay] ?? 0;
  return retries.backoff === "constant" ? first : first * 2 ** (thrown - 1);
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
