// One simulated response: what reaches the Recorder at which time, and what happens to its effects.
import type { CallEvent, Outcome, RecorderEvent } from "../../../src/record/events.ts";
import { awaitsConnection, awaitsControl } from "../../../src/record/machine/apply-call.ts";
import type { ReportOutcome } from "../../../src/record/connection/transition.ts";
import { isKnown, isReadable, type RunState } from "../../../src/record/state.ts";
import { Catalog } from "./catalog.ts";
import { checkChange, checkEnd, checkRunEnd, isUnwanted } from "./check.ts";
import { toParams, toTriggerParams } from "./calls.ts";
import { toTime } from "./clock.ts";
import { performEffect } from "./effects.ts";
import type { ConnectionTransition } from "./connection-object.ts";
import { Connections } from "./connections.ts";
import { RecorderObject, type Transition } from "./recorder-object.ts";
import { StorageRefused } from "./storage-refused.ts";
import type { Arrival } from "./arrivals.ts";
import { SimulationState } from "./simulation-state.ts";
import { createTruth, type RunTruth } from "./truth.ts";

/** A run that has not ended after this many timers never ends. */
const MAX_TIMERS = 40_000;
/** Seconds after which a caller tries again: OpenAI sends a webhook again for 72 hours. */
const RETRY_SECONDS = [5, 60, 300, 1800, 3600, 7200, 18_000, 36_000, 72_000];
/** An object without anything to do is evicted after about this long. */
const IDLE_SECONDS = 10;
/** A cancelled background run has this time to send its last event. */
const CLOSE_GRACE_SECONDS = 5;

/** A reader wants to know the status this often. */
const READ_SECONDS = 3;

/** A run whose row is due later has nothing left but its expiry. */
const MAX_WATCHED_MS = 24 * 60 * 60 * 1000;

/** Calls that begin a run when they come first. */
const BEGINNINGS = new Set<CallEvent["type"]>(["start", "webhook", "refetch", "connection_ended"]);

/** Decisions in place of the program's. */
export type Broken = { decide?: Transition; decideConnection?: ConnectionTransition };

export class SimulatedRun extends SimulationState {
  override readonly catalog: Catalog;
  override readonly object: RecorderObject;
  override readonly connections: Connections;
  #activeAt = 0;

  /**
   * @param number Which of the seed's responses.
   * @param broken Broken versions of the program's decisions.
   */
  constructor(seed: number, number: number, keepsLog: boolean, broken: Broken = {}) {
    super(seed, number, keepsLog);
    this.catalog = new Catalog(this.clock, () => this.#poke());
    this.object = new RecorderObject(
      {
        clock: this.clock,
        perform: (effect) => performEffect(this, effect),
        canWrite: () => !this.isOut(this.scenario.outages.storage, "storage refused"),
        alarmDelays: (seconds, outcome) => this.#alarmDelays(seconds, outcome),
        onChange: (event, outcome) => this.#afterChange(event, outcome),
      },
      broken.decide,
    );
    this.connections = new Connections(this, broken.decideConnection);
  }

  /** Runs the response until nothing is left to happen. */
  run(): void {
    this.log(JSON.stringify(this.scenario));
    for (const arrival of this.scenario.arrivals) {
      this.clock.after(arrival.at, () => this.#arrive(arrival));
    }
    const { reader } = this;
    if (reader !== null) this.clock.after(reader.from, () => this.#read(reader.to));
    const ended = this.clock.run(MAX_TIMERS);
    if (!ended) this.fail("a run ends", `it still ran after ${MAX_TIMERS} timers`);
    checkEnd(this);
  }

  /**
   * Calls the Recorder, again and again until it has taken the call.
   * @param retries Seconds between attempts; none: the caller gives up at once.
   */
  override call(create: () => CallEvent, retries = RETRY_SECONDS): void {
    if (this.#callOnce(create())) return;
    const [delay, ...more] = retries;
    if (delay !== undefined) this.clock.after(delay, () => this.call(create, more));
  }

  // Whether the Recorder has taken the call.
  #callOnce(event: CallEvent): boolean {
    this.#evictIdle();
    this.log(`call: ${event.type}`);
    try {
      this.object.call(event);
    } catch (error) {
      if (!(error instanceof StorageRefused)) throw error;
      this.current = null;
      return false;
    }
    this.#activeAt = this.clock.seconds;
    this.#noteCall(event);
    return true;
  }

  override report(event: CallEvent): ReportOutcome | null {
    const isBeginning = BEGINNINGS.has(event.type);
    // A Recorder that knows nothing can't say whether it was deleted.
    if (this.object.state === null && !isBeginning) return null;
    if (!this.#callOnce(event)) return null;
    const { state } = this.object;
    if (state?.kind !== "run") return "deleted";
    if (event.type === "connection_ended" && !awaitsConnection(state)) return "known already";
    if (event.type === "control_ended" && !awaitsControl(state)) return "known already";
    return "accepted";
  }

  #arrive({ what }: Arrival): void {
    if (what === "evict") return this.evict();
    if (what === "trigger") return this.#trigger();
    if (what === "cancel") return this.#cancel();
    if (what === "delete") return this.call(() => ({ type: "remove" }), []);
    if (what === "webhook") return this.call(() => this.#webhook());
    const params = toParams(this, { started_by: "refetch" });
    this.call(() => ({ type: "refetch", params }), []);
  }

  #trigger(): void {
    const { connections, scenario } = this;
    if (scenario.stream !== null) return connections.openRun();
    const params = toTriggerParams(this, connections.control?.name ?? null);
    if (this.#callOnce({ type: "start", params })) connections.openControl();
  }

  #cancel(): void {
    const { scenario, clock } = this;
    if (this.truth === null || scenario.end === null || clock.seconds >= scenario.end) return;
    if (scenario.stream?.kind !== "held") {
      scenario.end = clock.seconds + 0.2;
      scenario.status = "cancelled";
      this.connections.own?.stream.replan();
    }
    this.connections.close(CLOSE_GRACE_SECONDS);
    this.call(() => ({ type: "cancelled" }), []);
  }

  // It waits until the record can be read, and asks more often than it is answered.
  #read(until: number): void {
    const { state } = this.object;
    if (isReadable(state)) return;
    if (isKnown(state)) this.#callOnce({ type: "status_wanted" });
    if (this.clock.seconds < until) this.clock.after(READ_SECONDS, () => this.#read(until));
  }

  #webhook(): CallEvent {
    const at = toTime(this.clock.seconds);
    const type = `response.${this.scenario.status}`;
    const webhook = { id: "wh_1", type, received_at: at };
    return { type: "webhook", params: toParams(this, { webhook }) };
  }

  #poke(): void {
    this.call(() => ({ type: "poke" }), []);
  }

  #evictIdle(): void {
    const idle = this.clock.seconds - this.#activeAt > IDLE_SECONDS;
    if (idle && this.current === null && this.object.state !== null) this.object.evict();
  }

  #alarmDelays(seconds: number, outcome: Outcome): number[] {
    const { random, scenario } = this;
    if (!random.chance(scenario.rates.alarm)) return [seconds];
    const fault = random.pick(["late", "early", "twice", "lost"]);
    if (fault === "lost" && !this.#isWatched(outcome)) return [seconds];
    this.count(`alarm ${fault}`);
    if (fault === "late") return [seconds + random.between(0, 120)];
    if (fault === "early") return [seconds * random.next()];
    return fault === "twice" ? [seconds, seconds + random.between(0, 10)] : [];
  }

  // An alarm is lost only while the Catalog waits for the run's next step: otherwise nothing could notice.
  #isWatched({ state, effect }: Outcome): boolean {
    const { row } = this.catalog;
    if (row === null || !isKnown(state) || effect?.type === "unlist") return false;
    return row.dueMs <= this.clock.now + MAX_WATCHED_MS;
  }

  #noteCall(event: CallEvent): void {
    const { truth } = this;
    const begins = BEGINNINGS.has(event.type) && this.object.state === null;
    if (begins) this.fail("a call that was taken begins a run", event.type);
    if (truth === null) return;
    if (event.type === "webhook") truth.webhooks += 1;
    if (event.type === "refetch") truth.refetches += 1;
    if (event.type === "start") truth.starts += 1;
    if (event.type === "refetch") truth.isWanted = true;
    if (event.type !== "start" && event.type !== "connection_ended") return;
    truth.isWanted = true;
    truth.isKnown = true;
    truth.hasControl ||= event.params.control !== null;
  }

  // A webhook may find a response whose time as an unrecorded one is over: it begins as if nothing was there.
  #noteForgotten(event: RecorderEvent, { record }: RunState): void {
    if (event.type !== "webhook" || this.truth === null || this.last === null) return;
    if (record.started_at === this.last.record.started_at) return;
    checkRunEnd(this, this.truth, this.last);
    this.truth = null;
    this.last = null;
  }

  // A response that left no record begins again when a trigger, or a refetch by hand, comes late.
  #noteRestart(truth: RunTruth, event: RecorderEvent, state: RunState): void {
    const restarts = event.type === "start" || event.type === "refetch";
    if (!restarts && event.type !== "connection_ended") return;
    if (state.record.observations.length > 0 || truth.shown.length === 0) return;
    if (!isUnwanted(this, truth))
      this.fail("everything that was shown is recorded", "it begins again");
    truth.shown = [];
    truth.beganBy = event.type;
  }

  #afterChange(event: RecorderEvent, outcome: Outcome): void {
    this.#activeAt = this.clock.seconds;
    const { state } = outcome;
    if (state?.kind === "run") {
      this.#noteForgotten(event, state);
      if (this.truth === null) {
        this.truth = createTruth(this.clock.seconds, event.type);
        this.counts.runs += 1;
      }
      this.#noteRestart(this.truth, event, state);
    }
    if (this.keepsLog) this.log(`${event.type}: ${describe(outcome)}`);
    checkChange(this, this.last, event, outcome);
    if (state?.kind === "run") this.last = state;
    if (state?.kind === "run" || this.truth === null) return;
    if (event.type !== "remove" && this.last !== null) checkRunEnd(this, this.truth, this.last);
    this.verdicts.push(event.type === "remove" ? "deleted" : (this.last?.record.verdict ?? ""));
    if (event.type === "remove") this.deletedAt = this.clock.seconds;
    this.goneAt = this.clock.seconds;
    this.truth = null;
    this.last = null;
    this.largeBodies = 0;
  }
}

function describe({ state, effect, alarm, persist }: Outcome): string {
  const now =
    state === null ? "nothing" : state.kind === "run" ? describeRun(state.record) : state.kind;
  const next = effect === null ? "" : `, then ${effect.type}`;
  const wake = alarm === null ? "" : `, alarm ${new Date(alarm).toISOString()}`;
  return `${now}${next}${wake}${persist ? "" : " (in memory)"}`;
}

function describeRun(record: RunState["record"]): string {
  return `${record.verdict} (${record.status})${record.settled_at === null ? "" : " settled"}`;
}
