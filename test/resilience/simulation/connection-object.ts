// A stand-in for the Connection's Durable Object: storage, memory and alarm around the program's own decisions.
import { isReading, type ConnectionState } from "../../../src/record/connection/state.ts";
import {
  mustResume,
  nextCall,
  transitionConnection,
  type ConnectionCall,
  type ConnectionEvent,
  type ConnectionOutcome,
  type LastEvent,
  type ReportOutcome,
} from "../../../src/record/connection/transition.ts";
import type { Clock } from "./clock.ts";
import { ConnectionStorage } from "./connection-storage.ts";
import { toSeen, type StreamEvent } from "./stream-event.ts";
import { attempt, StorageRefused } from "./storage-refused.ts";

export type ConnectionTransition = typeof transitionConnection;

/** What surrounds the object. */
export type ConnectionSurroundings = {
  clock: Clock;
  canWrite(): boolean;
  /** The seconds after which an alarm fires that was set for a number of seconds: none when it is lost, two when it fires twice. */
  alarmDelays(seconds: number, outcome: ConnectionOutcome): number[];
  /** Sends the request. */
  post(object: ConnectionObject): void;
  resume(object: ConnectionObject, last: LastEvent | null): void;
  /** The connection to OpenAI is gone. */
  disconnect(): void;
  /** Calls the Recorder. The end of the call comes through `finishCall`. */
  tell(object: ConnectionObject, call: ConnectionCall): void;
  /** Called after each write. `stored`: the events that it added. */
  onWrite(event: ConnectionEvent | null, stored: StreamEvent[], outcome: ConnectionOutcome): void;
};

type Memory = {
  /** Whether it reads the stream, or is about to. */
  hasStream: boolean;
  /** Whether the stream was taken up again and brought nothing yet. */
  isResuming: boolean;
  call: ConnectionCall | null;
  /** Events that are packed into the next row. */
  buffer: StreamEvent[];
};

/** Small events wait this long for others, to share a row. */
const PACK_SECONDS = 0.5;
/** An object that only reads a stream is evicted after a minute or two. */
const MAX_IDLE_SECONDS = 100;

/** One Connection. */
export class ConnectionObject {
  readonly storage: ConnectionStorage;
  /** Rows written, with those of alarms, and alarms fired. */
  readonly costs = { rows: 0, alarms: 0 };
  /** Counts the lives of the object in memory. */
  life = 0;
  readonly #surroundings: ConnectionSurroundings;
  readonly #transition: ConnectionTransition;
  #memory: Memory = createMemory();
  #cancelIdle: (() => void) | null = null;

  /** @param decide The program's `transitionConnection`, or a broken one. */
  constructor(
    surroundings: ConnectionSurroundings,
    decide: ConnectionTransition = transitionConnection,
  ) {
    this.#surroundings = surroundings;
    this.storage = new ConnectionStorage(surroundings.clock, () => this.#onAlarm());
    this.#transition = decide;
  }

  /**
   * Does one of the calls of the Worker's, or the Recorder's.
   * @throws StorageRefused when it could not be stored.
   */
  call(event: Extract<ConnectionEvent, { type: "open" | "release" | "close" | "remove" }>): void {
    if (event.type === "release") this.#wake();
    this.#dispatch(event);
    if (event.type !== "open" || this.storage.state === null) return;
    this.#memory.hasStream = true;
    this.#surroundings.post(this);
    this.#advance();
  }

  /** What the Recorder is answered when it asks. */
  report(): ConnectionState | null {
    this.#wake();
    this.#stayAwake();
    return this.storage.state;
  }

  /** OpenAI did not begin. */
  notOpened(life: number, reason: "refused" | "unreachable", http_status: number | null): void {
    this.#whileReading(life, () => {
      this.#memory.hasStream = false;
      this.#dispatch({ type: "not_opened", reason, http_status, request_id: null });
    });
  }

  /** An event came. One that came before is left out. */
  receive(life: number, event: StreamEvent): void {
    this.#whileReading(life, () => {
      if (this.#isRepeated(event)) return;
      this.#memory.buffer.push(event);
      const { state } = this.storage;
      if (state?.phase === "opening") return this.#open(event);
      if (this.#memory.isResuming) {
        this.#memory.isResuming = false;
        this.#dispatch({ type: "resumed" });
      }
      const seen = toSeen(event, this.#received().length);
      if (seen !== null) return this.#dispatch(seen);
      this.#surroundings.clock.after(PACK_SECONDS, () => {
        this.#whileReading(life, () => this.#pack());
      });
    });
  }

  /** The stream came to an end: with its last event, or it broke. */
  streamEnded(life: number): void {
    if (this.storage.state?.phase === "opening") return this.notOpened(life, "unreachable", null);
    this.#whileReading(life, () => {
      const isWhole = this.#received().at(-1)?.isLast === true;
      this.#endStream(isWhole ? "terminal" : "broken");
    });
  }

  resumeFailed(life: number, isRefused: boolean): void {
    this.#whileReading(life, () => {
      this.#memory.hasStream = false;
      this.#dispatch({ type: "resume_failed", isRefused, last: this.#last() });
    });
  }

  /** A call to the Recorder has ended. Null: it failed. */
  finishCall(life: number, call: ConnectionCall, outcome: ReportOutcome | null): void {
    if (life !== this.life || this.storage.state === null) return;
    this.#memory.call = null;
    attempt(() => {
      if (outcome === null) return this.#dispatch({ type: "tell_failed" });
      this.#dispatch({ type: "told", call: call.type, outcome });
    });
  }

  /** The object loses its memory: its connection, and the call under way. */
  evict(): void {
    this.life += 1;
    this.#cancelIdle?.();
    this.#memory = createMemory();
    this.#surroundings.disconnect();
  }

  get isAlive(): boolean {
    return this.#memory.hasStream;
  }

  #open({ created }: StreamEvent): void {
    if (created === null) throw new Error("A stream begins with its response.");
    this.#dispatch({ type: "opened", ...created, http_status: 200, request_id: null });
  }

  #isRepeated({ sequenceNumber }: StreamEvent): boolean {
    const last = this.#received().at(-1)?.sequenceNumber ?? null;
    return sequenceNumber !== null && last !== null && sequenceNumber <= last;
  }

  #received(): StreamEvent[] {
    return [...this.storage.events, ...this.#memory.buffer];
  }

  #last(): LastEvent | null {
    const received = this.#received();
    const last = received.at(-1);
    if (last === undefined) return null;
    const { type, sequenceNumber } = last;
    return { label: `${received.length} ${type}`, sequenceNumber };
  }

  #endStream(reason: "terminal" | "broken" | "closed"): void {
    this.#memory.hasStream = false;
    this.#dispatch({ type: "stream_ended", reason, last: this.#last() });
  }

  // What comes for an earlier life, or without a connection, is ignored.
  #whileReading(life: number, run: () => void): void {
    if (life !== this.life || !this.#memory.hasStream) return;
    attempt(run);
  }

  #pack(): void {
    const { state } = this.storage;
    if (this.#memory.buffer.length > 0)
      this.#write(null, { state, alarm: null, disconnect: false });
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.storage.state;
    const outcome = this.#transition(before, event, this.#surroundings.clock.now);
    if (before !== null || outcome.state !== null) this.#write(event, outcome);
    this.#stayAwake();
    if (outcome.disconnect) this.#disconnect();
    this.#advance();
  }

  // An object that was created again notices by a call as well that it does not read its stream any more.
  #wake(): void {
    const { state } = this.storage;
    if (state === null || !isReading(state) || this.isAlive || state.resume_at_ms !== null) return;
    this.#dispatch({ type: "alarm", isAlive: false, last: this.#last() });
  }

  // A connection that is let go of ends, whether or not there is one at the moment.
  #disconnect(): void {
    this.#surroundings.disconnect();
    this.#memory.hasStream = false;
    const { state } = this.storage;
    if (state !== null && isReading(state)) this.#endStream("closed");
  }

  #advance(): void {
    const { state } = this.storage;
    const { clock } = this.#surroundings;
    const memory = this.#memory;
    if (state === null) {
      this.#memory = createMemory();
      return;
    }
    if (mustResume(state, memory.hasStream, clock.now)) {
      memory.hasStream = true;
      memory.isResuming = true;
      this.#surroundings.resume(this, this.#last());
    }
    if (memory.call !== null) return;
    memory.call = nextCall(state, clock.now);
    if (memory.call !== null) this.#surroundings.tell(this, memory.call);
  }

  // One synchronous block: the events that came, the state and the alarm.
  #write(event: ConnectionEvent | null, outcome: ConnectionOutcome): void {
    const { state, alarm } = outcome;
    const { buffer } = this.#memory;
    const isSame = state === this.storage.state && alarm === null && buffer.length === 0;
    if (!isSame && !this.#surroundings.canWrite()) {
      this.evict();
      throw new StorageRefused();
    }
    this.#memory.buffer = [];
    this.costs.rows += buffer.length > 0 ? 1 : 0;
    this.costs.rows += state === this.storage.state ? 0 : 1;
    this.costs.rows += alarm === null ? 0 : 1;
    if (state === null) this.storage.deleteAll();
    else {
      const { clock } = this.#surroundings;
      const delays = (seconds: number) => this.#surroundings.alarmDelays(seconds, outcome);
      this.storage.write(state, buffer);
      if (alarm !== null) this.storage.setAlarm(alarm, delays((alarm - clock.now) / 1000));
    }
    this.#surroundings.onWrite(event, buffer, outcome);
  }

  #onAlarm(): void {
    this.costs.alarms += 1;
    this.#dispatch({ type: "alarm", isAlive: this.isAlive, last: this.#last() });
  }

  #stayAwake(): void {
    this.#cancelIdle?.();
    const { state } = this.storage;
    if (state === null || !isReading(state)) return;
    const { clock } = this.#surroundings;
    this.#cancelIdle = clock.after(MAX_IDLE_SECONDS, () => this.evict());
  }
}

function createMemory(): Memory {
  return { hasStream: false, isResuming: false, call: null, buffer: [] };
}
