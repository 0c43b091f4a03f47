// A scripted held connection, and the Holder that reports its end.
import { toTriggerParams } from "./calls.ts";
import type { ConnectionResult } from "./openai.ts";
import type { Connection, SimulationState } from "./simulation-state.ts";

const HOLDER_ID = "holder";
/** The Holder closes a connection after this time. */
const MAX_CONNECTION_SECONDS = 23.5 * 60 * 60;

export class HeldConnection implements Connection {
  /** What it left; null while it is open, and when its Holder is gone. */
  left: ConnectionResult | null = null;
  /** Whether a Holder is there that can be asked, or that will report. */
  isAlive = false;
  /** Requests that were sent to OpenAI. */
  posts = 0;
  handedOver = false;
  reportedAt: number | null = null;
  readonly #run: SimulationState;

  constructor(run: SimulationState) {
    this.#run = run;
  }

  /** Sends the request, hands the run over, and waits for its end. */
  open(): void {
    const { scenario, random, clock } = this.#run;
    const { held } = scenario;
    if (held === null) return;
    this.posts += 1;
    if (held.refused) return;
    this.isAlive = true;
    clock.after(random.between(0.1, 1), () => this.#handOver());
    const limit = Math.min(scenario.end ?? MAX_CONNECTION_SECONDS, MAX_CONNECTION_SECONDS);
    clock.after(Math.min(limit, held.breaks ?? limit), () => this.close());
    if (held.dies !== null) clock.after(held.dies, () => this.#die());
  }

  /** Ends the connection, if it is open. */
  close(): void {
    if (!this.isAlive || this.left !== null) return;
    const { clock, scenario } = this.#run;
    this.left = this.#collect();
    this.#run.log(`the connection ended: ${this.left.brokeAt ?? "with the run"}`);
    if (this.left.brokeAt !== null) this.#cut();
    clock.after(scenario.held?.late ?? 0, () => this.#report());
    if (scenario.held?.twice === true) {
      clock.after(scenario.held.late + 40, () => this.#report());
    }
  }

  #handOver(): void {
    if (!this.isAlive) return;
    this.handedOver = true;
    this.#run.call(() => ({ type: "start", params: toTriggerParams(this.#run, HOLDER_ID) }));
  }

  #report(): void {
    if (!this.isAlive) return;
    this.reportedAt ??= this.#run.clock.seconds;
    this.#run.call(() => ({
      type: "connection_ended",
      params: toTriggerParams(this.#run, HOLDER_ID),
    }));
  }

  // The Holder is lost for good, with its connection and what it had.
  #die(): void {
    if (!this.isAlive || this.reportedAt !== null) return;
    this.#run.count("Holder lost");
    if (this.left === null) this.#cut();
    this.isAlive = false;
    this.left = null;
  }

  #collect(): ConnectionResult {
    const { clock, scenario } = this.#run;
    const { end, calls } = scenario;
    const at = clock.seconds;
    if (end !== null && at >= end) return { at, brokeAt: null, calls };
    const share = at / (end ?? MAX_CONNECTION_SECONDS);
    const done = calls.filter((_, index) => (index + 1) / (calls.length + 1) <= share);
    return { at, brokeAt: `${done.length} response.output_item.done`, calls: done };
  }

  // What OpenAI does when a connection ends before its run.
  #cut(): void {
    const { scenario, clock } = this.#run;
    const { held, end } = scenario;
    if (held === null || (end !== null && clock.seconds >= end)) return;
    this.#run.count("held connection broken");
    if (held.cut === "finishes") return;
    scenario.end = clock.seconds + 0.5;
    scenario.status = "cancelled";
    scenario.emptied = true;
  }
}
