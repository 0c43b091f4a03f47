// The state of one simulated response, which the stand-ins around the Recorder read and change.
import type { CallEvent, Effect } from "../../../src/record/events.ts";
import type { RunState } from "../../../src/record/state.ts";
import type { ReportOutcome } from "../../../src/record/connection/transition.ts";
import type { Catalog } from "./catalog.ts";
import { Clock } from "./clock.ts";
import type { Failure, Invariant } from "./invariants.ts";
import { Kv } from "./kv.ts";
import { Random } from "./random.ts";
import type { RecorderObject } from "./recorder-object.ts";
import { drawReader, type ReaderScript } from "./reader-script.ts";
import { drawReceiver, type ReceiverScript } from "./receiver-script.ts";
import { drawScenario, isFaultless, type Outage, type Scenario } from "./scenario.ts";
import type { ConnectionSet } from "./simulated-connection.ts";
import type { RunTruth } from "./truth.ts";

export abstract class SimulationState {
  readonly clock = new Clock();
  readonly kv = new Kv();
  readonly random: Random;
  readonly scenario: Scenario;
  readonly receiver: ReceiverScript;
  readonly reader: ReaderScript;
  /** Empty unless the log is kept. */
  readonly logLines: string[] = [];
  /** Injected faults, by their name. */
  readonly faults = new Map<string, number>();
  readonly failures: Failure[] = [];
  readonly counts = {
    observations: 0,
    statusChecks: 0,
    effects: 0,
    evictions: 0,
    connectionEvictions: 0,
    runs: 0,
  };
  /** When the last status check began. */
  lastCheckSeconds = Number.NEGATIVE_INFINITY;
  readonly verdicts: string[] = [];
  /** Deaths on a large body since the last answer that was taken. */
  largeBodies = 0;
  deadlyLeft: number;
  /** The effect that was begun last, until it is reported or dead. */
  current: { effect: Effect; life: number } | null = null;
  /** The run at present, and its last state; null where there is none. */
  truth: RunTruth | null = null;
  last: RunState | null = null;
  deletedAt: number | null = null;
  /** When a run was last deleted, or expired. */
  goneAt: number | null = null;
  readonly keepsLog: boolean;
  abstract readonly catalog: Catalog;
  abstract readonly object: RecorderObject;
  abstract readonly connections: ConnectionSet;

  /** @param number Which of the seed's responses. */
  constructor(seed: number, number: number, keepsLog: boolean) {
    this.random = new Random(seed, number);
    this.scenario = drawScenario(this.random, number);
    // Numbers of its own: a scenario stays the same with a receiver.
    this.receiver = drawReceiver(new Random(~seed, number), isFaultless(this.scenario));
    this.reader = drawReader(new Random(~seed, ~number));
    this.deadlyLeft = this.scenario.deadly;
    this.keepsLog = keepsLog;
  }

  /** Calls the Recorder, again and again until it has taken the call. */
  abstract call(create: () => CallEvent): void;

  /** A Connection's call to the Recorder. Null: it was not taken. */
  abstract report(event: CallEvent): ReportOutcome | null;

  /** Notes a broken invariant. */
  readonly fail = (invariant: Invariant, why: string): void => {
    this.log(`BROKEN: ${invariant}: ${why}`);
    this.failures.push({ invariant, why });
  };

  /** Counts an injected fault. */
  count(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }

  log(text: string): void {
    if (this.keepsLog) this.logLines.push(`${this.clock.seconds.toFixed(3).padStart(12)} ${text}`);
  }

  /** Whether something does not work now. */
  isOut(outage: Outage | null, name: string): boolean {
    const seconds = this.clock.seconds;
    const out = outage !== null && seconds >= outage.from && seconds < outage.to;
    if (out) this.count(name);
    return out;
  }

  /** Whether a fault of this probability happens. */
  happens(rate: number, name: string): boolean {
    if (rate === 0 || !this.random.chance(rate)) return false;
    this.count(name);
    return true;
  }

  /** The object loses its memory. */
  evict(): void {
    this.counts.evictions += 1;
    this.log("the object is evicted");
    this.object.evict();
    this.current = null;
  }
}
