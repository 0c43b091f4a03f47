// OpenAI's side of one event stream: which events it sends, when a connection breaks, and what becomes of the run.
import type { LastEvent } from "../../../src/record/connection/transition.ts";
import type { ObservedCall } from "../../../src/record/schema.ts";
import type { ConnectionObject } from "./connection-object.ts";
import type { SimulationState } from "./simulation-state.ts";
import type { Created, StreamEvent } from "./stream-event.ts";
import type { StreamScript } from "./stream-scripts.ts";

/** A response that never ends is spread over this time. */
const ENDLESS_SECONDS = 23 * 60 * 60;
/** Seconds after its end at which OpenAI deletes a response with `store: false`, and its events. */
const UNSTORED_SECONDS = 600;

/** A response as its stream shows it. Its end can be moved by a cancel. */
export type StreamedResponse = {
  calls: ObservedCall[];
  /** How many seconds after the first event it ends; null: at the scenario's end, whatever moves it. */
  lasts: number | null;
  /** What its first event says of it. */
  created: Created;
};

const NOTHING_ELSE = { created: null, call: null };

type Reader = { object: ConnectionObject; life: number; place: number };

/** The stream of one Connection. It can be read by one connection after another. */
export class ScriptedStream {
  /** Requests that began the response. */
  posts = 0;
  readonly #run: SimulationState;
  readonly #script: StreamScript;
  readonly #response: StreamedResponse;
  #planned: StreamEvent[] = [];
  #beganAt = 0;
  #reader: Reader | null = null;
  #timers: (() => void)[] = [];

  constructor(run: SimulationState, script: StreamScript, response: StreamedResponse) {
    this.#run = run;
    this.#script = script;
    this.#response = response;
  }

  /** Sends the request that begins the response. */
  post(object: ConnectionObject): void {
    const { clock, random } = this.#run;
    const { life } = object;
    this.posts += 1;
    this.#reader = { object, life, place: -1 };
    const { opens, breaks } = this.#script;
    this.#later(random.between(0.1, 1), () => {
      if (opens === "refused") return object.notOpened(life, "refused", 400);
      if (opens === "unreachable") return object.notOpened(life, "unreachable", null);
      this.#beganAt = clock.seconds;
      this.#planned = this.#plan();
      if (breaks !== null) this.#later(breaks, () => this.#break());
      this.#sendNext();
    });
  }

  /** Takes the stream up again after the last event that is stored. */
  resume(object: ConnectionObject, last: LastEvent | null): void {
    const { random, scenario } = this.#run;
    const { life } = object;
    const { window, repeats, breaksAgain } = this.#script;
    const place = last?.sequenceNumber ?? -1;
    this.#reader = { object, life, place: repeats ? place - random.whole(0, 2) : place };
    this.#later(random.between(0.05, 0.5), () => {
      if (this.#run.happens(scenario.rates.observation, "resume failed")) {
        return object.resumeFailed(life, false);
      }
      if (this.#isTooLate(window)) {
        this.#run.count("resume refused");
        return object.resumeFailed(life, true);
      }
      this.#run.count("stream resumed");
      if (random.chance(breaksAgain)) this.#later(random.between(0, 60), () => this.#break());
      this.#sendNext();
    });
  }

  /** The connection is gone on the Connection's side. */
  stop(): void {
    if (this.#reader === null) return;
    this.#letGo();
    this.#cut();
  }

  /** The end of the run was moved: what was to come later does not come. */
  replan(): void {
    if (this.#reader !== null && this.#planned.length > 0) this.#sendNext();
  }

  #isTooLate(window: number | null): boolean {
    const { clock, scenario } = this.#run;
    if (window !== null && clock.seconds > this.#beganAt + window) return true;
    return !scenario.store && clock.seconds > (scenario.end ?? Infinity) + UNSTORED_SECONDS;
  }

  #plan(): StreamEvent[] {
    const { calls, created } = this.#response;
    const first = this.#beganAt;
    const end = this.#end() ?? first + ENDLESS_SECONDS;
    const share = Math.max(0, end - first) / (calls.length + 1);
    const plain = { created: null, call: null, isLast: false, status: null };
    const events = [
      { ...plain, type: "response.created", at: first, created, status: created.created.status },
      { ...plain, type: "response.in_progress", at: first + 0.2, status: "in_progress" },
      ...calls.flatMap((call, index) => {
        const at = first + share * (index + 1);
        const added = { ...plain, type: "response.output_item.added", at: at - share / 4 };
        return [added, { ...plain, type: "response.output_item.done", at, call }];
      }),
    ];
    const inOrder = events.toSorted((one, other) => one.at - other.at);
    return inOrder.map((event, place) => ({ ...event, ...this.#number(place) }));
  }

  // What OpenAI sends in all, as it stands now.
  #events(): StreamEvent[] {
    const end = this.#end();
    const sent = this.#planned.filter(({ at, place }) => place === 0 || end === null || at < end);
    if (end === null) return sent;
    const status = this.#response.lasts === null ? this.#run.scenario.status : "completed";
    const at = Math.max(end, sent.at(-1)?.at ?? end);
    const last = { type: `response.${status}`, at, status, ...NOTHING_ELSE, isLast: true };
    return [...sent, { ...last, ...this.#number(sent.length) }];
  }

  #number(place: number): Pick<StreamEvent, "place" | "sequenceNumber"> {
    return { place, sequenceNumber: this.#script.isNumbered ? place : null };
  }

  #end(): number | null {
    const { lasts } = this.#response;
    return lasts === null ? this.#run.scenario.end : finite(this.#beganAt + lasts);
  }

  #cancelNext: () => void = () => undefined;

  #sendNext(): void {
    this.#cancelNext();
    const reader = this.#reader;
    if (reader === null) return;
    const { clock } = this.#run;
    const events = this.#events();
    const next = events.find(({ place }) => place > reader.place);
    if (next === undefined && events.at(-1)?.isLast !== true) return;
    const seconds = Math.max(0.002, (next?.at ?? clock.seconds) - clock.seconds);
    this.#cancelNext = this.#later(seconds, () => {
      if (next === undefined) return this.#finish(reader);
      reader.place = next.place;
      reader.object.receive(reader.life, next);
      if (this.#reader === reader) this.#sendNext();
    });
  }

  #finish({ object, life }: Reader): void {
    this.#letGo();
    object.streamEnded(life);
  }

  #break(): void {
    const reader = this.#reader;
    if (reader === null) return;
    this.#run.count("stream broken");
    if (this.#script.endsWithError && reader.place >= 0) {
      const plain = { ...NOTHING_ELSE, at: this.#run.clock.seconds, status: null, isLast: false };
      const number = { place: reader.place, sequenceNumber: null };
      reader.object.receive(reader.life, { ...plain, ...number, type: "error" });
    }
    if (this.#reader !== reader) return;
    this.#letGo();
    this.#cut();
    reader.object.streamEnded(reader.life);
  }

  #letGo(): void {
    this.#reader = null;
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }

  // What OpenAI does when a foreground connection ends before its run.
  #cut(): void {
    const { scenario, clock } = this.#run;
    if (this.#script.cut === null || this.#response.lasts !== null) return;
    if (scenario.end !== null && clock.seconds >= scenario.end) return;
    this.#run.count("foreground run cut off");
    if (this.#script.cut === "finishes") return;
    scenario.end = clock.seconds + 0.5;
    scenario.status = "cancelled";
    scenario.emptied = true;
  }

  #later(seconds: number, run: () => void): () => void {
    const cancel = this.#run.clock.after(seconds, run);
    this.#timers.push(cancel);
    return cancel;
  }
}

function finite(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null;
}
