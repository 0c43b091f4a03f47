// The state of one simulated response, which the stand-ins for OpenAI, KV and the engine read and change.
import { HOLD } from "../../../src/workflows/holder.ts";
import type { Channel, RecorderParams } from "../../../src/record/schema.ts";
import type { Told } from "../../../src/workflows/telling.ts";
import { Clock } from "./clock.ts";
import type { Instance, Run } from "./engine.ts";
import { Kv } from "./kv.ts";
import { Random } from "./random.ts";
import { drawScenario, type Call, type Scenario } from "./scenario.ts";

/** What a Holder left of its connection. `broke_at` is null when the connection brought the end of the run. */
export type ConnectionResult = { at: number; broke_at: string | null; calls: Call[] };

export abstract class SimulationState {
  readonly clock = new Clock();
  readonly kv = new Kv();
  readonly random: Random;
  readonly scenario: Scenario;
  /** Empty unless the log is kept. */
  readonly logLines: string[] = [];
  /** Injected faults, by their name. */
  readonly counts = new Map<string, number>();
  readonly observations: { at: number; channel: Channel }[] = [];
  readonly instances: Instance[] = [];
  instance: Instance | null = null;
  /** Holds the connection; null once it is gone. */
  holder: Run<null> | null = null;
  /** What Holders left, by the stream that their step returned. */
  readonly connectionResults = new WeakMap<ReadableStream, ConnectionResult>();
  /** How many requests a Holder has sent to OpenAI. */
  posts = 0;
  /** How often a Holder has handed over its run. */
  handedOver = 0;
  /** When a Holder reported to the Recorder. */
  reportedAt: number | null = null;
  isConnected = false;
  connectionEndedAt: number | null = null;
  controls = 0;
  /** Whether the control has ended. */
  controlled = false;
  crashes = 0;
  refetchedAt: number[] = [];
  deleted = false;
  readonly #keepsLog: boolean;

  /**
   * @param seed The simulation's seed.
   * @param number Which of its responses.
   */
  constructor(seed: number, number: number, keepsLog: boolean) {
    this.random = new Random(seed, number);
    this.scenario = drawScenario(this.random, number);
    this.#keepsLog = keepsLog;
  }

  /** Counts an injected fault. */
  count = (what: string): void => {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  };

  log = (text: string): void => {
    if (this.#keepsLog) this.logLines.push(`${this.clock.now.toFixed(3).padStart(12)} ${text}`);
  };

  /** What the Holder left of its connection; null until its step has ended. */
  getConnectionResult(): ConnectionResult | null {
    const kept = this.holder?.kept.get(HOLD);
    const stream = kept !== undefined && "value" in kept ? kept.value : null;
    return stream instanceof ReadableStream ? (this.connectionResults.get(stream) ?? null) : null;
  }

  abstract closeConnection(broke: boolean): void;
  abstract handOver(params: RecorderParams): void;
  /** The Recorder as a Holder reaches it. */
  abstract recorder(pause: Told["pause"]): Told;
  /** Makes the Holder close its connection. */
  abstract stop(): void;
}
