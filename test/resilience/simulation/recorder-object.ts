// A stand-in for the Recorder's Durable Object: memory, storage and alarm around the program's own `transition`.
import type { CallEvent, Effect, Outcome, RecorderEvent } from "../../../src/record/events.ts";
import type { Channel } from "../../../src/record/schema.ts";
import type { State } from "../../../src/record/state.ts";
import { transition } from "../../../src/record/transition.ts";
import type { Clock } from "./clock.ts";

/** What a result, or a call, brings in addition to its event: bytes that no state holds. */
export type Payload = { body?: string | null; outputs?: string };

/** What survives the object's memory. */
export type ObjectStorage = {
  state: State | null;
  body: string | null;
  outputs: Map<Channel, string>;
};

/** What surrounds the object. */
export type Surroundings = {
  clock: Clock;
  /** Begins an effect. Its result comes through `report`. */
  perform(effect: Effect, object: RecorderObject): void;
  /** Whether the object's storage takes writes now. */
  canWrite(): boolean;
  /** When an alarm that was set for a number of seconds from now fires; null: never. */
  alarmDelays(seconds: number): number[];
  /** Called after each change, before its effect begins. */
  onChange(event: RecorderEvent, outcome: Outcome): void;
};

/** Storage refused a write: the call, or the result, came to nothing. */
export class StorageRefused extends Error {}

/** One Recorder. */
export class RecorderObject {
  readonly storage: ObjectStorage = { state: null, body: null, outputs: new Map() };
  /** Rows written, alarms set, alarms fired. */
  readonly costs = { rows: 0, alarmsSet: 0, alarms: 0 };
  /** Counts the lives of the object in memory. An effect of an earlier life has nobody to report to. */
  life = 0;
  #memory: { state: State | null } | null = null;
  #transition: typeof transition;
  readonly #surroundings: Surroundings;
  /** What the platform holds of the alarm. */
  #alarm: { atMs: number; cancel: () => void } | null = null;

  /** @param decide The program's `transition`, or a broken one. */
  constructor(surroundings: Surroundings, decide: typeof transition = transition) {
    this.#surroundings = surroundings;
    this.#transition = decide;
  }

  /** The state as readers see it. */
  get state(): State | null {
    return this.#memory === null ? this.storage.state : this.#memory.state;
  }

  /** When the alarm fires, in milliseconds since 1970. */
  get alarmAtMs(): number | null {
    return this.#alarm?.atMs ?? null;
  }

  /**
   * Calls the object.
   * @throws StorageRefused when it could not be stored.
   */
  call(event: CallEvent, payload: Payload = {}): void {
    this.#dispatch(event, payload);
  }

  /** Reports on an effect. The result of an earlier life is nobody's. */
  report(life: number, event: RecorderEvent, payload: Payload = {}): void {
    if (life !== this.life) return;
    try {
      this.#dispatch(event, payload);
    } catch (error) {
      if (!(error instanceof StorageRefused)) throw error;
      // The effect counts as dead: its alarm finds it in storage and not in memory.
      this.evict();
    }
  }

  /** The object loses its memory, and what it was doing. */
  evict(): void {
    this.#memory = null;
    this.life += 1;
  }

  #dispatch(event: RecorderEvent, payload: Payload): void {
    const now = this.#surroundings.clock.now;
    const before = this.#load(now);
    this.#apply(before, event, payload, now);
  }

  // An effect that stands in storage and not in memory died with an earlier life.
  #load(now: number): State | null {
    if (this.#memory !== null) return this.#memory.state;
    const { state } = this.storage;
    const turn = state?.running?.turn;
    if (turn === undefined) return state;
    return this.#transition(state, { type: "lost", turn }, now).state;
  }

  #apply(before: State | null, event: RecorderEvent, payload: Payload, now: number): void {
    const outcome = this.#transition(before, event, now);
    const { rows, state, persist, alarm } = outcome;
    const writes = persist || rows.drop || rows.writeBody || rows.writeOutputs !== null;
    if ((writes || alarm !== null) && !this.#surroundings.canWrite()) throw new StorageRefused();
    if (rows.drop) this.#dropRows();
    if (rows.writeBody) this.#writeBody(payload.body ?? null);
    if (rows.writeOutputs !== null) this.#addOutputs(rows.writeOutputs, payload.outputs ?? "");
    if (persist) {
      this.storage.state = state;
      this.costs.rows += 1;
    }
    this.#memory = { state };
    if (state === null) this.#deleteAll();
    else if (alarm !== null) this.#setAlarm(alarm);
    this.#surroundings.onChange(event, outcome);
    if (outcome.effect !== null) this.#surroundings.perform(outcome.effect, this);
  }

  #dropRows(): void {
    this.costs.rows += (this.storage.body === null ? 0 : 1) + this.storage.outputs.size;
    this.storage.body = null;
    this.storage.outputs.clear();
  }

  #writeBody(body: string | null): void {
    this.costs.rows += 1;
    this.storage.body = body;
  }

  #addOutputs(channel: Channel, outputs: string): void {
    this.costs.rows += 1;
    this.storage.outputs.set(channel, (this.storage.outputs.get(channel) ?? "") + outputs);
  }

  #deleteAll(): void {
    this.storage.state = null;
    this.storage.body = null;
    this.storage.outputs.clear();
    this.#alarm?.cancel();
    this.#alarm = null;
  }

  #setAlarm(atMs: number): void {
    this.costs.rows += 1;
    this.costs.alarmsSet += 1;
    this.#alarm?.cancel();
    const { clock } = this.#surroundings;
    const delays = this.#surroundings.alarmDelays((atMs - clock.now) / 1000);
    const cancels = delays.map((delay) => clock.after(delay, () => this.#fire()));
    this.#alarm = { atMs, cancel: () => cancels.forEach((cancel) => cancel()) };
  }

  #fire(): void {
    this.costs.alarms += 1;
    if (this.state === null) return;
    this.#alarm = null;
    try {
      this.#dispatch({ type: "alarm" }, {});
    } catch (error) {
      if (!(error instanceof StorageRefused)) throw error;
      this.#retryAlarm();
    }
  }

  // A handler that can't store anything throws, and the platform calls it again six times, then never.
  #retryAlarm(attempt = 1): void {
    const { clock } = this.#surroundings;
    if (attempt > 6) return;
    clock.after(2 ** attempt, () => {
      try {
        if (this.state !== null && this.#alarm === null) this.#dispatch({ type: "alarm" }, {});
      } catch (error) {
        if (!(error instanceof StorageRefused)) throw error;
        this.#retryAlarm(attempt + 1);
      }
    });
  }
}
