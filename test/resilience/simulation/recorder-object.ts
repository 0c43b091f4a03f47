// A stand-in for the Recorder's Durable Object: memory, storage and alarm around the program's own `transition`.
import type { CallEvent, Effect, Outcome, RecorderEvent } from "../../../src/record/events.ts";
import type { Channel } from "../../../src/record/schema.ts";
import type { State } from "../../../src/record/state.ts";
import { transition } from "../../../src/record/transition.ts";
import { fireWithRetries } from "./alarm-retries.ts";
import type { Clock } from "./clock.ts";
import { StorageRefused } from "./storage-refused.ts";

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
  /** The seconds after which an alarm fires that was set for a number of seconds: none when it is lost, two when it fires twice. */
  readonly alarmDelays: (seconds: number, outcome: Outcome) => number[];
  /** Called after each change, before its effect begins. */
  onChange(event: RecorderEvent, outcome: Outcome): void;
};

export type Transition = typeof transition;

/** One Recorder. */
export class RecorderObject {
  readonly storage: ObjectStorage = { state: null, body: null, outputs: new Map() };
  /** Rows written, alarms set, alarms fired. */
  readonly costs = { rows: 0, alarmsSet: 0, alarms: 0 };
  /** Counts the lives of the object in memory. An effect of an earlier life has no object to report to. */
  life = 0;
  #memory: { state: State | null } | null = null;
  readonly #transition: Transition;
  readonly #surroundings: Surroundings;
  #cancelAlarm: (() => void) | null = null;
  #alarmNumber = 0;

  /** @param decide The program's `transition`, or a broken one. */
  constructor(surroundings: Surroundings, decide: Transition = transition) {
    this.#surroundings = surroundings;
    this.#transition = decide;
  }

  /** The state as readers see it. */
  get state(): State | null {
    return this.#memory === null ? this.storage.state : this.#memory.state;
  }

  /**
   * Calls the object.
   * @throws StorageRefused when it could not be stored.
   */
  call(event: CallEvent, payload: Payload = {}): void {
    this.#dispatch(event, payload);
  }

  /**
   * Reports on an effect.
   * @param life The object's life in which the effect began.
   * @returns Whether the object took the report.
   */
  report(life: number, event: RecorderEvent, payload: Payload = {}): boolean {
    if (life !== this.life) return false;
    try {
      this.#dispatch(event, payload);
      return true;
    } catch (error) {
      if (!(error instanceof StorageRefused)) throw error;
      return false;
    }
  }

  /** The object loses its memory, and what it was doing. */
  evict(): void {
    this.#memory = null;
    this.life += 1;
  }

  #dispatch(event: RecorderEvent, payload: Payload): void {
    const { clock } = this.#surroundings;
    const before = this.#load(clock.now);
    const outcome = this.#transition(before, event, clock.now);
    try {
      this.#write(outcome, payload);
    } catch (error) {
      // Memory must not be ahead of storage: what it knew is loaded again.
      this.evict();
      throw error;
    }
    this.#memory = { state: outcome.state };
    this.#surroundings.onChange(event, outcome);
    if (outcome.effect !== null) this.#surroundings.perform(outcome.effect, this);
  }

  // An effect that stands in storage and not in memory died with an earlier life.
  #load(now: number): State | null {
    if (this.#memory !== null) return this.#memory.state;
    const { state } = this.storage;
    const turn = state?.running?.turn;
    if (turn === undefined) return state;
    return this.#transition(state, { type: "lost", turn }, now).state;
  }

  // One synchronous block.
  #write(outcome: Outcome, payload: Payload): void {
    const { rows, state, persist, alarm } = outcome;
    const hasRows = rows.drop || rows.writeBody || rows.writeOutputs !== null;
    const writes = persist || hasRows || alarm !== null;
    if (writes && !this.#surroundings.canWrite()) throw new StorageRefused();
    if (state === null) return this.#deleteAll();
    if (rows.drop) this.#dropRows();
    if (rows.writeBody) this.#writeBody(payload.body ?? null);
    if (rows.writeOutputs !== null) this.#addOutputs(rows.writeOutputs, payload.outputs ?? "");
    if (persist) {
      this.storage.state = state;
      this.costs.rows += 1;
    }
    if (alarm !== null) this.#setAlarm(alarm, outcome);
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
    this.#cancelAlarm?.();
    this.#cancelAlarm = null;
  }

  #setAlarm(atMs: number, outcome: Outcome): void {
    this.costs.rows += 1;
    this.costs.alarmsSet += 1;
    this.#cancelAlarm?.();
    const { clock, alarmDelays } = this.#surroundings;
    const number = (this.#alarmNumber += 1);
    const [first, ...more] = alarmDelays((atMs - clock.now) / 1000, outcome);
    this.#cancelAlarm = first === undefined ? null : clock.after(first, () => this.#fire(number));
    // The platform may call a handler twice: the second call is not cancelled with the alarm.
    for (const delay of more) clock.after(delay, () => this.#fire(number));
  }

  #fire(number: number): void {
    fireWithRetries(
      this.#surroundings.clock,
      () => this.#alarm(),
      () => number === this.#alarmNumber,
    );
  }

  #alarm(): void {
    this.costs.alarms += 1;
    if (this.state !== null) this.#dispatch({ type: "alarm" }, {});
  }
}
