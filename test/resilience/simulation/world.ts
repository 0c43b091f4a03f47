// One response from its beginning to its last trace: who comes when, and which instance follows it.
import { hold, HOLD, STOP, type Holding } from "../../../src/workflows/holder.ts";
import { createRecord } from "../../../src/record/reducer.ts";
import { foldStep, type Reading, type Woken } from "../../../src/workflows/history.ts";
import type {
  Channel,
  Policy,
  StoredRecord,
  RecorderParams,
  RecorderEvent,
} from "../../../src/record/schema.ts";
import type { Told } from "../../../src/workflows/telling.ts";
import { Clock, toTime } from "./clock.ts";
import { Instance, Run, type CrashPoint, type Life } from "./engine.ts";
import { handsOf } from "./fake-activities.ts";
import { Kv } from "./kv.ts";
import { breakOff, holderHandsOf, type Left } from "./fake-connection.ts";
import { Random } from "./random.ts";
import { draw, type Arrival, type Scenario } from "./scenario.ts";

/** The settings as they are when nobody sets them. */
const POLICY = { deadline_seconds: 120, delays_seconds: [5, 20, 60, 180, 300] };
/** Verdicts of a Recorder that is started anew when there is something to tell. */
const GIVEN_UP = new Set<string>(["abandoned", "not_found"]);
/** So often one instance crashes at the most: a hundredth crash shows nothing new. */
const MOST_CRASHES = 6;

/** Everything there is of one response. */
export class World {
  readonly clock = new Clock();
  readonly kv = new Kv();
  readonly random: Random;
  readonly scenario: Scenario;
  readonly story: string[] = [];
  readonly counts = new Map<string, number>();
  readonly looks: { at: number; channel: Channel }[] = [];
  readonly instances: Instance[] = [];
  instance: Instance | null = null;
  /** Holds the connection; null once it is gone. */
  holder: Run<null> | null = null;
  /** What Holders left, by the stream that their step gave. */
  readonly leavings = new WeakMap<ReadableStream, Left>();
  /** How often OpenAI was asked, and the Recorder begun; when it was told; whether a connection is open; when it had ended. */
  posts = 0;
  handedOver = 0;
  told: number | null = null;
  holds = false;
  ended: number | null = null;
  controls = 0;
  /** Whether the control came to its end. */
  controlled = false;
  crashes = 0;
  /** How often somebody asked for a look, and whether everything was deleted. */
  wishes: number[] = [];
  deleted = false;
  readonly #tells: boolean;

  constructor(seed: number, number: number, tells: boolean) {
    this.random = new Random(seed, number);
    this.scenario = draw(this.random, number);
    this.#tells = tells;
  }

  /** Plays the response to its end. */
  async play(): Promise<void> {
    this.log(JSON.stringify(this.scenario));
    for (const arrival of this.scenario.arrivals) {
      this.clock.after(arrival.at, () => this.#arrive(arrival));
    }
    await this.clock.run();
  }

  /** Counts an injected fault. */
  count = (what: string): void => {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  };

  /** Tells what happens, where somebody wants to know. */
  log = (text: string): void => {
    if (this.#tells) this.story.push(`${this.clock.now.toFixed(3).padStart(12)} ${text}`);
  };

  /** What the Holder left of its connection, as far as its step has ended. */
  leftBy(): Left | null {
    const kept = this.holder?.kept.get(HOLD);
    const stream = kept !== undefined && "value" in kept ? kept.value : null;
    return stream instanceof ReadableStream ? (this.leavings.get(stream) ?? null) : null;
  }

  /** The connection is open no more. */
  letGo(broke: boolean): void {
    if (!this.holds) return;
    this.holds = false;
    if (broke) breakOff(this);
  }

  /** As `startRecorder` does: one that has ended hears nothing. */
  handOver(start: RecorderParams): void {
    this.log("the Holder hands over");
    this.handedOver += 1;
    this.#begin(start);
  }

  /** The Recorder as a Holder reaches it. */
  recorder(pause: Told["pause"]): Told {
    return {
      wake: async (wake) => {
        this.log("the Holder tells");
        this.told ??= this.clock.now;
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
    if (gaveUp(instance)) return "gave up";
    return instance.ended === null ? "woken" : "ended";
  }

  #reading(): Reading {
    const { instance } = this;
    if (instance === null) return { state: "unknown" };
    if (instance.start.action === "delete") return { state: "deleted" };
    return { state: instance.ended === null ? "running" : "ended", known: knownTo(instance) };
  }

  /** Makes the Holder end its connection. */
  stop(): void {
    this.holder?.send({ kind: "refetch" }, STOP);
  }

  #arrive({ what }: Arrival): void {
    this.log(`arrives: ${what}`);
    if (what === "forgotten") this.#forgetInstance();
    else if (what === "delete") this.#delete();
    else if (what === "look") this.#look();
    else if (what === "cancel") this.#cancel();
    else if (what === "webhook") this.#begin(this.#start({ ...this.#webhook() }));
    else if (this.scenario.held !== null) this.#hold();
    else this.#begin(triggered(this.scenario));
  }

  #begin(start: RecorderParams): void {
    if (this.instance === null) return this.#create(start);
    const { ended, outcome } = this.instance;
    if (start.webhook === null && ended !== null && outcome !== null)
      return this.#replace({ ...start, control: null, action: "refetch" });
    if (start.webhook !== null && gaveUp(this.instance)) return this.#replace(start);
    this.instance.send(wakeOf(start));
  }

  #hold(): void {
    const { held } = this.scenario;
    if (held === null) return;
    const { id: _, created: __, holder: ___, request: ____, ...start } = triggered(this.scenario);
    const options = { ...NO_OPTIONS, hold: true };
    const holding: Holding = { request: {}, start: { ...start, started_by: held.by, options } };
    const crashed = () => this.letGo(true);
    this.holder = new Run({ ...this.#surroundings(), crashed }, (step, life) =>
      hold("holder", holding, step, holderHandsOf(this, held, life)),
    );
    this.holder.begin();
    if (held.dies !== null) this.clock.after(held.dies, () => this.#loseHolder());
  }

  #loseHolder(): void {
    if (this.holder === null || this.holder.ended !== null) return;
    this.count("Holder gone without a word");
    this.#removeHolder();
  }

  #removeHolder(): void {
    this.holder?.remove(false);
    this.holder = null;
    this.letGo(true);
  }

  // Nobody knows the id before the Recorder does.
  #cancel(): void {
    if (this.instance === null || this.instance.ended !== null) return;
    this.stop();
    this.#look();
  }

  #look(): void {
    this.wishes.push(this.clock.now);
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

  // The engine remembers an instance that has ended for some days only.
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
    let left = MOST_CRASHES;
    return {
      clock,
      log,
      policy: policyOf(scenario),
      hands: (life: Life) => handsOf(this, life),
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
      policy: policyOf(this.scenario),
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

function gaveUp({ failed, outcome }: Instance): boolean {
  return failed !== null || (outcome !== null && GIVEN_UP.has(outcome.verdict));
}

// As its history tells it; a step that failed for good has no result.
function knownTo({ start, kept }: Instance): StoredRecord {
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

function policyOf({ strangersWanted: record_external }: Scenario): Policy {
  return { ...POLICY, record_external };
}

function wakeOf(start: RecorderParams): RecorderEvent {
  if (start.webhook !== null) return { kind: "webhook", webhook: start.webhook };
  return { kind: "trigger", params: start };
}

function triggered(scenario: Scenario): RecorderParams {
  const { id, replay, control, saidStore, began } = scenario;
  return {
    id,
    at: toTime(0),
    started_by: "trigger",
    policy: policyOf(scenario),
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
