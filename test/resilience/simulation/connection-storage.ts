// What survives a Connection's memory: its state, its events, and the platform's alarm.
import type { ConnectionState } from "../../../src/record/connection/state.ts";
import { fireWithRetries } from "./alarm-retries.ts";
import type { Clock } from "./clock.ts";
import type { StreamEvent } from "./stream-event.ts";

/** The storage of one Connection. */
export class ConnectionStorage {
  state: ConnectionState | null = null;
  events: StreamEvent[] = [];
  /** When the alarm fires; null when it has fired. */
  alarmAtMs: number | null = null;
  readonly #clock: Clock;
  readonly #handler: () => void;
  #cancelAlarm: (() => void) | null = null;
  #alarmNumber = 0;

  /** @param handler Handles the alarm. It throws when storage refuses what it writes. */
  constructor(clock: Clock, handler: () => void) {
    this.#clock = clock;
    this.#handler = handler;
  }

  write(state: ConnectionState, events: StreamEvent[]): void {
    this.state = state;
    this.events.push(...events);
  }

  deleteAll(): void {
    this.state = null;
    this.events = [];
    this.alarmAtMs = null;
    this.#cancelAlarm?.();
    this.#cancelAlarm = null;
  }

  /** @param delays The seconds after which it fires: none when it is lost, two when it fires twice. */
  setAlarm(atMs: number, [first, ...more]: number[]): void {
    this.alarmAtMs = atMs;
    this.#cancelAlarm?.();
    const number = (this.#alarmNumber += 1);
    this.#cancelAlarm =
      first === undefined ? null : this.#clock.after(first, () => this.#fire(number));
    // The platform may call a handler twice: the second call is not cancelled with the alarm.
    for (const delay of more) this.#clock.after(delay, () => this.#fire(number));
  }

  #fire(number: number): void {
    if (this.state === null) return;
    const isCurrent = () => number === this.#alarmNumber;
    fireWithRetries(this.#clock, () => this.#handle(isCurrent()), isCurrent);
  }

  #handle(isCurrent: boolean): void {
    const { alarmAtMs } = this;
    if (isCurrent) this.alarmAtMs = null;
    try {
      this.#handler();
    } catch (error) {
      this.alarmAtMs = alarmAtMs;
      throw error;
    }
  }
}
