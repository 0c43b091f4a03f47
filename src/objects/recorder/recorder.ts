// The Recorder: one object per response, named by its id. It is the only writer of that response.
// What it does next is decided in record/transition.ts; this class stores, sets alarms, and does the effects.
import { DurableObject } from "cloudflare:workers";
import { readPolicy } from "../../config.ts";
import { toByteStream } from "../../lib/byte-stream.ts";
import { withTimeout } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import type { Effect, Outcome, RecorderEvent } from "../../record/events.ts";
import { isTerminal } from "../../record/reducer.ts";
import {
  type Channel,
  type ControlResult,
  type RecorderParams,
  type StoredRecord,
} from "../../record/schema.ts";
import { bodySource, isKnown, isReadable, isSettled, State } from "../../record/state.ts";
import { transition } from "../../record/transition.ts";
import { BODY, joinOutputs, performEffect, toOutputsName, type Bytes } from "./effects.ts";
import { reserveLargeBody } from "./large-bodies.ts";
import { toProgressUpdates, type ProgressUpdate } from "./progress.ts";
import { Rows } from "./rows.ts";

/** The name of the state in the object's own rows. */
const STATE = "state";
/** A call or an alarm that failed unexpectedly is followed by an alarm this many milliseconds later. */
const RECOVERY_MS = 5_000;
/** `read` waits this long at most. */
const MAX_WAIT_SECONDS = 60;
const NO_BYTES: Bytes = { body: null, outputs: null };

/** What a webhook found. */
export type WebhookOutcome = "started" | "restarted" | "delivered" | "duplicate" | "deleted";

/** What is known of a run. The body is in the object's rows, in KV, or not stored. */
export type RecorderReading = { record: StoredRecord; body: "rows" | "kv" | "none" };

export type ReadOptions = {
  waitSeconds?: number;
  /** What to wait for: a record that can be read, or one that is settled. */
  until?: "readable" | "settled";
};

type RunningEffect = { turn: number; abort: AbortController; done: Promise<void> };

export class Recorder extends DurableObject<Env> {
  readonly #rows: Rows;
  /** As it is stored, or newer: what costs no more than doing an effect again after a crash is not stored. */
  #state: State | null;
  #running: RunningEffect | null = null;
  #changed = Promise.withResolvers<void>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#rows = new Rows(ctx.storage.kv);
    const stored = this.#rows.get(STATE);
    this.#state = stored === null ? null : State.parse(JSON.parse(new TextDecoder().decode(stored)));
  }

  /** Begins a run, or heals a webhook that was faster. */
  start(params: RecorderParams): void {
    this.#handle({ type: "start", params });
  }

  /** Receives a webhook. For an unknown id it begins a run. */
  webhook(params: RecorderParams): WebhookOutcome {
    const outcome = describeWebhook(this.#state);
    this.#handle({ type: "webhook", params });
    return outcome;
  }

  /** Observes the response now. For an unknown id it begins a run. */
  refetch(params: RecorderParams): void {
    this.#handle({ type: "refetch", params });
  }

  /** Observes the response now, because OpenAI accepted a cancel. */
  cancelled(): void {
    this.#handle({ type: "cancelled" });
  }

  /** The run's held connection has ended. */
  connectionEnded(params: RecorderParams): void {
    this.#handle({ type: "connection_ended", params });
  }

  /**
   * The run's control has ended.
   * @param outputs Its calls as an array in JSON; null when it had none.
   */
  controlEnded(result: ControlResult, outputs: Uint8Array | null): void {
    const event = { type: "control_ended" as const, result, hasOutputs: outputs !== null };
    this.#handle(event, { body: null, outputs });
  }

  /** Deletes everything that is stored of the run. It returns when KV has been asked to, or after a time limit: the rest is done later. */
  async remove(): Promise<void> {
    this.#handle({ type: "remove" });
    const { running } = this;
    if (running !== null) await withTimeout(running.done, 20_000, undefined);
  }

  /** Sets the alarm to now where work is left. */
  poke(): void {
    this.#handle({ type: "poke" });
  }

  /**
   * What is known of the run.
   * @returns Null when nothing is recorded.
   */
  async read({ waitSeconds = 0, until = "readable" }: ReadOptions = {}): Promise<RecorderReading | null> {
    const deadline = Date.now() + Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000;
    const isReached = until === "settled" ? isSettled : isReadable;
    while (isKnown(this.#state) && !isReached(this.#state) && Date.now() < deadline) {
      await withTimeout(this.#changed.promise, deadline - Date.now(), undefined);
    }
    const state = this.#state;
    return isKnown(state) ? { record: state.record, body: bodySource(state) } : null;
  }

  /** The response's body, as far as the object's own rows have it. */
  readBody(): ReadableStream<Uint8Array> {
    return toByteStream(this.#rows.parts(BODY));
  }

  /** The calls that a channel had, as far as the object's own rows have them: an array as JSON. */
  readOutputs(channel: Channel): Uint8Array | null {
    return this.#rows.get(toOutputsName(channel));
  }

  /**
   * Follows the run: what happened after an entry, then what happens, until it is settled. Each update is a line of JSON.
   * @param after The last entry that the reader has; 0 for all.
   */
  events(after: number): ReadableStream<Uint8Array> {
    return toByteStream(this.#follow(after));
  }

  override async alarm(): Promise<void> {
    try {
      this.#handle({ type: "alarm" });
      // The handler keeps the object in memory while its effects are under way.
      while (this.#running !== null) await this.#running.done;
    } catch (error) {
      // An alarm that throws is retried six times only. https://developers.cloudflare.com/durable-objects/api/alarms/
      logFailure("alarm", error, { id: this.#id() });
      await this.#recover();
    }
  }

  #handle(event: RecorderEvent, bytes = NO_BYTES): void {
    const running = this.#state?.running ?? null;
    // The effect died with the object that began it.
    if (running !== null && this.#running?.turn !== running.turn) {
      this.#apply({ type: "lost", turn: running.turn }, NO_BYTES);
    }
    this.#apply(event, bytes);
  }

  #apply(event: RecorderEvent, bytes: Bytes): void {
    const outcome = transition(this.#state, event, Date.now());
    if (outcome.state === null) {
      void this.ctx.storage.deleteAll();
    } else this.#store(outcome, bytes);
    this.#state = outcome.state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#abortOutdated();
    if (outcome.effect !== null) this.#begin(outcome.effect);
  }

  // No `await` stands between these writes, so they are stored together or not at all.
  #store({ state, alarm, rows, persist }: Outcome, bytes: Bytes): void {
    if (rows.drop) this.#dropRows();
    if (rows.writeBody && bytes.body !== null) this.#rows.put(BODY, bytes.body);
    if (rows.writeOutputs !== null && bytes.outputs !== null) {
      const name = toOutputsName(rows.writeOutputs);
      this.#rows.put(name, joinOutputs(bytes.outputs, this.#rows.get(name)));
    }
    if (persist) this.#rows.put(STATE, [new TextEncoder().encode(JSON.stringify(state))]);
    if (alarm !== null) void this.ctx.storage.setAlarm(alarm);
  }

  #dropRows(): void {
    this.#rows.delete(BODY);
    const state = this.#state;
    if (state?.kind !== "run") return;
    for (const channel of state.rows.outputs) this.#rows.delete(toOutputsName(channel));
  }

  #begin(effect: Effect): void {
    const abort = new AbortController();
    const done = this.#perform(effect, abort);
    this.#running = { turn: effect.turn, abort, done };
    this.ctx.waitUntil(done);
  }
}
