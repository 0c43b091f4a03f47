// One simulated response: what reaches the Worker at which time, and which instance follows the response.
import { hold, STOP, type Holding } from "../../../src/workflows/holder.ts";
import { createRecord } from "../../../src/record/reducer.ts";
import { foldStep, type Reading, type Woken } from "../../../src/workflows/history.ts";
import type {
  Policy,
  StoredRecord,
  RecorderParams,
  RecorderEvent,
} from "../../../src/record/schema.ts";
import type { Told } from "../../../src/workflows/telling.ts";
import { toTime } from "./clock.ts";
import { Instance, Run, type CrashPoint, type Execution } from "./engine.ts";
import { createActivities } from "./fake-activities.ts";
import { breakConnection, createHolderActivities } from "./fake-connection.ts";
import type { Arrival, Scenario } from "./scenario.ts";
import { SimulationState } from "./simulation-state.ts";

/** The default settings. */
const POLICY = { deadline_seconds: 120, delays_seconds: [5, 20, 60, 180, 300] };
/** Verdicts of a Recorder that a new event restarts. */
const GIVEN_UP_VERDICTS = new Set<string>(["abandoned", "not_found"]);
/** Crashes of one instance: more would show nothing new. */
const MAX_CRASHES = 6;

export class SimulatedResponse extends SimulationState {
  /** Runs the response to its end. */
  async run(): Promise<void> {
    this.log(JSON.stringify(this.scenario));
    for (const arrival of this.scenario.arrivals) {
      this.clock.after(arrival.at, () => this.#arrive(arrival));
    }
    await this.clock.run();
  }

  override closeConnection(broke: boolean): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    if (broke) breakConnection(this);
  }

  // Like `startRecorder`.
  override handOver(start: RecorderParams): void {
    this.log("the Holder hands over");
    this.handedOver += 1;
    this.#begin(start);
  }

  override recorder(pause: Told["pause"]): Told {
    return {
      wake: async (wake) => {
        this.log("the Holder reports");
        this.reportedAt ??= this.clock.now;
        return this.#wake(wake);
      },
      ask: async () => this.#reading(),
      pause,
      restart: async (start) => this.#replace(start),
    };
  }

  #wake(wake: RecorderEvent): Woken {
    const { instance } = this;
    if (instance === null) return "absent";
    instance.send(wake);
    if (hasGivenUp(instance)) return "gave up";
    return instance.ended === null ? "woken" : "ended";
  }

  #reading(): Reading {
    const { instance } = this;
    if (instance === null) return { state: "unknown" };
    if (instance.start.action === "delete") return { state: "deleted" };
    return { state: instance.ended === null ? "running" : "ended", known: toKnownRecord(instance) };
  }

  override stop(): void {
    this.holder?.send({ kind: "refetch" }, STOP);
  }

  #arrive({ what }: Arrival): void {
    this.log(`arrives: ${what}`);
    if (what === "forgotten") this.#forgetInstance();
    else if (what === "delete") this.#delete();
    else if (what === "refetch") this.#refetch();
    else if (what === "cancel") this.#cancel();
    else if (what === "webhook") this.#begin(this.#start({ ...this.#webhook() }));
    else if (this.scenario.held !== null) this.#hold();
    else this.#begin(toTriggerParams(this.scenario));
  }

  #begin(start: RecorderParams): void {
    if (this.instance === null) return this.#create(start);
    const { ended, outcome } = this.instance;
    if (start.webhook === null && ended !== null && outcome !== null)
      return this.#replace({ ...start, control: null, action: "refetch" });
    if (start.webhook !== null && hasGivenUp(this.instance)) return this.#replace(start);
    this.instance.send(toEvent(start));
  }

  #hold(): void {
    const { held } = this.scenario;
    if (held === null) return;
    const {
      id: _,
      created: __,
      holder: ___,
      request: ____,
      ...start
    } = toTriggerParams(this.scenario);
    const options = { ...NO_OPTIONS, hold: true };
    const holding: Holding = { request: {}, start: { ...start, started_by: held.by, options } };
    const crashed = () => this.closeConnection(true);
    this.holder = new Run({ ...this.#surroundings(), crashed }, (step, execution) =>
      hold("holder", holding, step, createHolderActivities(this, held, execution)),
    );
    this.holder.begin();
    if (held.dies !== null) this.clock.after(held.dies, () => this.#loseHolder());
  }

  #loseHolder(): void {
    if (this.holder === null || this.holder.ended !== null) return;
    this.count("Holder lost");
    this.#removeHolder();
  }

  #removeHolder(): void {
    this.holder?.remove(false);
    this.holder = null;
    this.closeConnection(true);
  }

  // A caller learns the id from the Recorder.
  #cancel(): void {
    if (this.instance === null || this.instance.ended !== null) return;
    this.stop();
    this.#refetch();
  }

  #refetch(): void {
    this.refetchedAt.push(this.clock.now);
    if (this.instance !== null && this.instance.ended === null) {
      if (this.instance.start.action !== "delete") return this.instance.send({ kind: "refetch" });
      return;
    }
    if (this.deleted) return;
    this.#replace(this.#start({ started_by: "refetch", action: "refetch" }));
  }

  #delete(): void {
    if (this.instance === null && this.kv.values.size === 0) return;
    this.deleted = true;
    if (this.instance?.start.holder !== null || this.kv.record()?.known.holder !== null)
      this.#removeHolder();
    this.#replace(this.#start({ started_by: "refetch", action: "delete" }));
  }

  // The engine forgets an instance some days after its end.
  #forgetInstance(): void {
    if (this.instance?.ended !== null && !this.deleted) this.instance = null;
  }

  #replace(start: RecorderParams): void {
    this.instance?.remove(this.random.chance(0.5));
    this.#create(start);
  }

  #create(start: RecorderParams): void {
    this.log(`an instance: ${start.started_by}, ${start.action ?? "to follow"}`);
    this.instance = new Instance(start, this.#surroundings());
    this.instances.push(this.instance);
    this.instance.begin();
  }

  #surroundings() {
    const { clock, random, scenario, log } = this;
    let left = MAX_CRASHES;
    return {
      clock,
      log,
      policy: toPolicy(scenario),
      hands: (execution: Execution) => createActivities(this, execution),
      random: () => random.next(),
      crashes: (point: CrashPoint) => {
        if (left === 0 || !random.chance(scenario.rates.crash)) return false;
        left -= 1;
        this.crashes += 1;
        this.count(`crash ${point}`);
        return true;
      },
    };
  }

  #webhook(): Partial<RecorderParams> {
    const type = `response.${this.scenario.status}`;
    return { webhook: { id: "wh_1", type, received_at: toTime(this.clock.now) } };
  }

  #start(what: Partial<RecorderParams>): RecorderParams {
    return {
      id: this.scenario.id,
      at: toTime(this.clock.now),
      started_by: "webhook",
      policy: toPolicy(this.scenario),
      options: null,
      request: null,
      created: null,
      webhook: null,
      control: null,
      holder: null,
      action: null,
      ...what,
    };
  }
}

function hasGivenUp({ failed, outcome }: Instance): boolean {
  return failed !== null || (outcome !== null && GIVEN_UP_VERDICTS.has(outcome.verdict));
}

// Folds the history. A step that failed for good has no result.
function toKnownRecord({ start, kept }: Instance): StoredRecord {
  let known = createRecord(start);
  for (const [name, result] of kept) {
    if (!("value" in result)) continue;
    known = foldStep(known, { name, output: result.value }, start.policy.record_external);
  }
  return known;
}

const NO_OPTIONS = {
  include: [],
  replay: false,
  control: false,
  hold: false,
  retention_days: null,
};

function toPolicy({ recordsExternal: record_external }: Scenario): Policy {
  return { ...POLICY, record_external };
}

function toEvent(start: RecorderParams): RecorderEvent {
  if (start.webhook !== null) return { kind: "webhook", webhook: start.webhook };
  return { kind: "trigger", params: start };
}

function toTriggerParams(scenario: Scenario): RecorderParams {
  const { id, replay, control, saidStore, began } = scenario;
  return {
    id,
    at: toTime(0),
    started_by: "trigger",
    policy: toPolicy(scenario),
    options: { ...NO_OPTIONS, replay, control: control !== null },
    request: {},
    created: {
      status: "queued",
      model: "m",
      background: true,
      store: saidStore,
      created_at: toTime(began),
    },
    webhook: null,
    control: control === null ? null : { model: "m" },
    holder: null,
    action: null,
  };
}
