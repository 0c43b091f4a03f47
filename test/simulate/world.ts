// One response from its beginning to its last trace: who comes when, and which instance follows it.
import type { Channel, Start, Wake } from "../../src/record.ts";
import { Clock, timeOf } from "./clock.ts";
import { Instance, type Life, type Surroundings } from "./engine.ts";
import { handsOf } from "./hands.ts";
import { Kv } from "./kv.ts";
import { Random } from "./random.ts";
import { draw, type Arrival, type Scenario } from "./scenario.ts";

/** The settings as they are when nobody sets them. */
const RULES = { deadline: 120, again: [5, 20, 60, 180, 300] };
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

  #arrive({ what }: Arrival): void {
    this.log(`arrives: ${what}`);
    if (what === "forgotten") this.#forgetInstance();
    else if (what === "delete") this.#delete();
    else if (what === "look") this.#look();
    else this.#startOrWake(what);
  }

  #startOrWake(what: "trigger" | "webhook"): void {
    const start =
      what === "trigger" ? triggered(this.scenario) : this.#start({ ...this.#webhook() });
    if (this.instance === null) return this.#create(start);
    this.instance.send(wakeOf(start));
  }

  #look(): void {
    this.wishes.push(this.clock.now);
    if (this.instance !== null && this.instance.ended === null) {
      if (this.instance.start.action !== "delete") return this.instance.send({ kind: "look" });
      return;
    }
    if (this.deleted) return;
    this.#replace(this.#start({ started_by: "look", action: "look" }));
  }

  #delete(): void {
    if (this.instance === null && this.kv.values.size === 0) return;
    this.deleted = true;
    this.#replace(this.#start({ started_by: "look", action: "delete" }));
  }

  // The engine remembers an instance that has ended for some days only.
  #forgetInstance(): void {
    if (this.instance?.ended !== null && !this.deleted) this.instance = null;
  }

  #replace(start: Start): void {
    this.instance?.remove(this.random.chance(0.5));
    this.#create(start);
  }

  #create(start: Start): void {
    this.log(`an instance: ${start.started_by}, ${start.action ?? "to follow"}`);
    this.instance = new Instance(start, this.#surroundings());
    this.instances.push(this.instance);
    this.instance.begin();
  }

  #surroundings(): Surroundings {
    const { clock, random, scenario, log } = this;
    let left = MOST_CRASHES;
    return {
      clock,
      log,
      rules: settingsOf(scenario).rules,
      hands: (life: Life) => handsOf(this, life),
      random: () => random.next(),
      crashes: (point) => {
        if (left === 0 || !random.chance(scenario.rates.crash)) return false;
        left -= 1;
        this.crashes += 1;
        this.count(`crash ${point}`);
        return true;
      },
    };
  }

  #webhook(): Partial<Start> {
    const type = `response.${this.scenario.status}`;
    return { webhook: { id: "wh_1", type, received_at: timeOf(this.clock.now) } };
  }

  #start(what: Partial<Start>): Start {
    return {
      id: this.scenario.id,
      at: timeOf(this.clock.now),
      started_by: "webhook",
      ...settingsOf(this.scenario),
      intent: null,
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

function settingsOf({ strangersWanted: strangers }: Scenario) {
  return { strangers, rules: { ...RULES, strangers } };
}

function wakeOf(start: Start): Wake {
  if (start.webhook !== null) return { kind: "webhook", webhook: start.webhook };
  return { kind: "trigger", start };
}

function triggered(scenario: Scenario): Start {
  const { id, replay, control, saidStore, began } = scenario;
  return {
    id,
    at: timeOf(0),
    started_by: "trigger",
    ...settingsOf(scenario),
    intent: { include: [], replay, control: control !== null, hold: false, retention_days: null },
    request: {},
    created: {
      status: "queued",
      model: "m",
      background: true,
      store: saidStore,
      created_at: timeOf(began),
    },
    webhook: null,
    control: control === null ? null : { model: "m" },
    holder: null,
    action: null,
  };
}
