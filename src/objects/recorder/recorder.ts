// The Recorder: one object per response, named by its id. It is the only writer of that response.
// What it does next is decided in record/transition.ts; this class stores states, sets alarms, and performs effects.
import { DurableObject } from "cloudflare:workers";
import { toByteStream } from "../../lib/byte-stream.ts";
import { retry, sleep, withTimeout } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import { awaitsConnection, awaitsControl } from "../../record/machine/apply-call.ts";
import { newlyEmpty } from "../../record/machine/apply-files.ts";
import { statusCheckMs } from "../../record/machine/status-check.ts";
import type { Effect, RecorderEvent } from "../../record/events.ts";
import { isAtRest, toProgressUpdates } from "../../record/progress.ts";
import type { ReportOutcome } from "../../record/connection/transition.ts";
import type { Channel, RecorderParams, RunConnection } from "../../record/schema.ts";
import { errorMessage } from "../../openai/api-failure.ts";
import { nextCheck } from "../../record/observed/next-check.ts";
import { retryAfterSeconds } from "../../record/observed/retry-after.ts";
import { bodySource, isKnown, isReadable, type RunState, type State } from "../../record/state.ts";
import { transition } from "../../record/transition.ts";
import { releaseConnection } from "../connection/client.ts";
import { NO_BYTES, performEffect, searchFiles } from "./effects.ts";
import { reserveLargeBody } from "./large-bodies.ts";
import { describeWebhook, logSettled, withoutSpareAlarm, type WebhookOutcome } from "./outcome.ts";
import {
  toStatusReading,
  type OutputsReading,
  type ReadOptions,
  type RecorderReading,
  type StatusReading,
} from "./reading.ts";
import { Store } from "./store.ts";
import { listStoredRun } from "./stored-run.ts";
import { awaitExpiry, isUnreadable, salvage } from "./unreadable.ts";

/** After a result or an alarm that could not be stored, milliseconds until the next alarm. */
const RECOVERY_MS = 5_000;
/** Milliseconds between attempts to handle an alarm while storage refuses. */
const ALARM_RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 120_000, 240_000];
/** An empty list of files is asked for once more after this many milliseconds: a file can be listed a moment after the end. */
const SEARCH_AGAIN_MS = 5_000;
const MAX_WAIT_SECONDS = 60;
/** `remove` waits this many milliseconds until KV has deleted the run's values, and the Catalog its row. */
const REMOVE_WAIT_MS = 20_000;
/** `relist` waits this many milliseconds until the Catalog has the row. */
const RELIST_WAIT_MS = 10_000;
/** An alarm handler stays for effects this many milliseconds. It may take 15 minutes: https://developers.cloudflare.com/durable-objects/platform/limits/ */
const MAX_ALARM_MS = 10 * 60_000;

type RunningEffect = { turn: number; abort: AbortController; done: Promise<void> };

/** The Recorder of one response. */
export class Recorder extends DurableObject<Env> {
  readonly #store: Store;
  /** Undefined until it is loaded. It can be newer than what is stored: not every change is worth a row. */
  #state: State | null | undefined;
  #running: RunningEffect | null = null;
  #changed = Promise.withResolvers<null>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new Store(ctx.storage.kv);
  }

  /** Begins a run, or heals a webhook that was faster. */
  start(params: RecorderParams): ReportOutcome {
    const state = this.#load();
    if (state !== null && state.kind !== "run") return "deleted";
    this.#handle({ type: "start", params });
    return "accepted";
  }

  /** Receives a webhook. For an unknown id it begins a run. */
  webhook(params: RecorderParams): WebhookOutcome {
    const outcome = describeWebhook(this.#load());
    this.#handle({ type: "webhook", params });
    return outcome;
  }

  /** Observes the response now. For an unknown id it begins a run. */
  refetch(params: RecorderParams): "accepted" | "deleted" | "unreadable" {
    if (this.#isUnreadable()) return "unreadable";
    const state = this.#load();
    if (state !== null && state.kind !== "run") return "deleted";
    this.#handle({ type: "refetch", params });
    return "accepted";
  }

  /** Observes the response now: OpenAI accepted a cancel, or the run's Connection was closed. */
  cancelled(): void {
    this.#handle({ type: "cancelled" });
  }

  /** An event of the run's stream showed a status. */
  statusSeen(status: string): ReportOutcome {
    return this.#receiveReport({ type: "status_seen", status }, () => true);
  }

  /** The run's Connection has ended. For an unknown id it begins a run. */
  connectionEnded(params: RecorderParams): ReportOutcome {
    const state = this.#load();
    if (state !== null && state.kind !== "run") return "deleted";
    const isNews = state === null || awaitsConnection(state) || state.record.connection === null;
    this.#handle({ type: "connection_ended", params });
    return isNews ? "accepted" : "known already";
  }

  /** The control's Connection sends its request. */
  controlOpened(): ReportOutcome {
    return this.#receiveReport({ type: "control_opened" }, awaitsControl);
  }

  /** The control's Connection has ended. */
  controlEnded(): ReportOutcome {
    return this.#receiveReport({ type: "control_ended" }, awaitsControl);
  }

  /** The ids of the Connections that still read a stream, or that were not read yet. */
  openConnections(): { run: RunConnection | null; control: string | null } {
    const state = this.#load();
    if (state?.kind !== "run") return { run: null, control: null };
    const { connection, connection_due, control_connection, control_due } = state.record;
    return {
      run: connection_due ? connection : null,
      control: control_due ? control_connection : null,
    };
  }

  /**
   * Deletes everything that is stored of the run, also when it can't be read. What KV or the Catalog refuse to delete within the time limit is deleted later.
   * @returns False when nothing is recorded.
   */
  async remove(): Promise<boolean> {
    // Only what the deletion needs is left of it.
    if (this.#isUnreadable()) this.#state = salvage(this.#store, this.ctx.id.name ?? "");
    else if (!isFound(this.#load())) return false;
    this.#handle({ type: "remove" });
    await this.#waitForEffects(Date.now() + REMOVE_WAIT_MS);
    return true;
  }

  /** Sets the alarm to now where work is left. */
  poke(): void {
    this.#handle({ type: "poke" });
  }

  /**
   * Lists the run again: the Catalog has lost its row. While the object is at work, it lists the run when that is done.
   * @param id The object's name. An object that has no run, or can't read it, lists what KV has.
   * @returns False when there is nothing to list.
   */
  async relist(id: string): Promise<boolean> {
    const state = this.#isUnreadable() ? null : this.#load();
    if (state === null) return listStoredRun(this.env, id);
    if (!isFound(state)) return false;
    this.#handle({ type: "relist" });
    await this.#waitForEffects(Date.now() + RELIST_WAIT_MS);
    return true;
  }

  /**
   * What is known of the run.
   * @returns Null when nothing is recorded.
   */
  async read({ waitSeconds = 0, until = "readable" }: ReadOptions = {}): Promise<
    RecorderReading | "unreadable" | null
  > {
    if (this.#isUnreadable()) return "unreadable";
    const deadline = Date.now() + Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000;
    const isReached = until === "settled" ? isAtRest : isReadable;
    let state = this.#load();
    while (isKnown(state) && !isReached(state) && Date.now() < deadline) {
      await this.#awaitChange(deadline);
      state = this.#load();
    }
    if (!isFound(state)) return null;
    return {
      record: JSON.stringify(state.record),
      body: bodySource(state),
      retryAfterSeconds: retryAfterSeconds(state, Date.now()),
      nextCheck: nextCheck(state),
    };
  }

  /**
   * Waits for a change, at most a minute, or until a status check is due, and begins that.
   * @returns Null for a run that is not in flight.
   */
  async awaitStatus(): Promise<StatusReading | null> {
    if (this.#isUnreadable() || !isFound(this.#load())) return null;
    await this.#awaitChange(Date.now() + MAX_WAIT_SECONDS * 1000);
    const state = this.#load();
    return isFound(state) ? toStatusReading(state.record) : null;
  }

  /** A body that the object itself has; null when it has not, or not any more. */
  readBody(digest: string): ReadableStream<Uint8Array> | null {
    const state = this.#load();
    const body = state?.kind === "run" ? state.record.body : null;
    if (body?.digest !== digest || !this.#store.hasBody(digest)) return null;
    return toByteStream(this.#store.wholeBody(digest, body.bytes));
  }

  /** Where the calls that a channel had are stored. */
  readOutputs(channel: Channel): OutputsReading {
    const state = this.#load();
    const keys = state?.kind === "run" ? state.kv.keys : [];
    return {
      rows: this.#store.outputs(channel),
      isInKv: keys.some((key) => key.type === "outputs" && key.channel === channel),
    };
  }

  /**
   * Follows the run: what happened after an entry, and then what happens, until nothing more is to be expected.
   * @param after The `seq` of the last entry that the reader has; 0 for all.
   * @returns Lines of JSON, each a `ProgressUpdate`.
   */
  follow(after: number): ReadableStream<Uint8Array> {
    return toByteStream(this.#updates(after));
  }

  // An alarm that throws is called again six times and then never: https://developers.cloudflare.com/durable-objects/api/alarms/
  // It throws only when storage refuses everything for minutes, a new alarm included.
  override async alarm(): Promise<void> {
    if (this.#isUnreadable()) return awaitExpiry(this.ctx, this.#store);
    const end = Date.now() + MAX_ALARM_MS;
    try {
      await retry(
        ALARM_RETRY_MS,
        async () => this.#handle({ type: "alarm" }),
        (error) => logFailure("alarm", error, { id: this.#id() }),
      );
    } catch {
      await this.ctx.storage.setAlarm(Date.now() + RECOVERY_MS);
    }
    // The handler keeps the object in memory.
    await this.#waitForEffects(end);
  }

  // A Connection reports to a run that is known, or was.
  #receiveReport(event: RecorderEvent, isNews: (state: RunState) => boolean): ReportOutcome {
    const state = this.#load();
    if (state === null) throw new Error("The run of this Connection is not known yet.");
    if (state.kind !== "run") return "deleted";
    const outcome = isNews(state) ? "accepted" : "known already";
    this.#handle(event);
    return outcome;
  }

  // A reader that waits for the end of a run in flight wants to know its status.
  async #awaitChange(untilMs: number): Promise<void> {
    const dueMs = statusCheckMs(this.#load()) ?? untilMs;
    const waitMs = Math.min(dueMs, untilMs) - Date.now();
    if (waitMs > 0) await withTimeout(this.#changed.promise, waitMs, null);
    const nowMs = Date.now();
    const dueNowMs = statusCheckMs(this.#load());
    if (dueNowMs !== null && dueNowMs <= nowMs && nowMs < untilMs) {
      this.#handle({ type: "status_wanted" });
    }
  }

  async #waitForEffects(endMs: number): Promise<void> {
    for (let leftMs = endMs - Date.now(); leftMs > 0; leftMs = endMs - Date.now()) {
      if (this.#running === null) return;
      await withTimeout(this.#running.done, leftMs, undefined);
    }
  }

  #isUnreadable(): boolean {
    return isUnreadable(() => this.#load());
  }

  #load(): State | null {
    if (this.#state !== undefined) return this.#state;
    const state = this.#store.load();
    this.#state = state;
    return state;
  }

  #handle(event: RecorderEvent, bytes = NO_BYTES): void {
    const turn = this.#load()?.running?.turn;
    // The effect died with the object that began it, or its result could not be stored.
    if (turn !== undefined && this.#running?.turn !== turn) this.#apply({ type: "lost", turn });
    this.#apply(event, bytes);
  }

  #apply(event: RecorderEvent, bytes = NO_BYTES): void {
    const before = this.#load();
    const outcome = withoutSpareAlarm(event, transition(before, event, Date.now()));
    try {
      this.ctx.storage.transactionSync(() => this.#store.write(before, outcome, bytes));
    } catch (error) {
      // Nothing of it was stored, so the stored state counts.
      this.#state = undefined;
      throw error;
    }
    this.#state = outcome.state;
    // Nothing is awaited since the state was written, so both are stored or none is.
    if (outcome.state === null) void this.ctx.storage.deleteAll();
    else if (outcome.alarm !== null) void this.ctx.storage.setAlarm(outcome.alarm);
    logSettled(before, outcome.state);
    this.#changed.resolve(null);
    this.#changed = Promise.withResolvers();
    this.#endOutdated();
    if (outcome.effect !== null) this.#begin(outcome.effect);
  }

  #begin(effect: Effect): void {
    const abort = new AbortController();
    const done = this.#perform(effect, abort);
    this.#running = { turn: effect.turn, abort, done };
    this.ctx.waitUntil(done);
  }

  // The effect of a run that was deleted, or one that is out of time, is not waited for.
  #endOutdated(): void {
    if (this.#running === null || this.#running.turn === this.#state?.running?.turn) return;
    this.#running.abort.abort();
    this.#running = null;
  }

  async #perform(effect: Effect, abort: AbortController): Promise<void> {
    const { turn } = effect;
    const reservations: (() => void)[] = [];
    const work = async () =>
      performEffect(effect, {
        env: this.env,
        store: this.#store,
        signal: abort.signal,
        onLargeBody: async () => {
          reservations.push(await reserveLargeBody(effect.untilMs));
          if (this.#running?.abort !== abort) return;
          this.#apply({ type: "large_body", turn });
          await this.ctx.storage.sync();
        },
      });
    try {
      const result = await withTimeout(work(), effect.untilMs - Date.now(), null);
      if (result === null) throw new Error(`${effect.type} took too long`);
      const { event } = result;
      const empty = event.type === "files_found" ? newlyEmpty(this.#load(), event) : [];
      this.#report(abort, event, result.bytes);
      if (empty.length > 0) this.ctx.waitUntil(this.#searchAgain(empty));
      this.#releaseConnection(effect, event);
    } catch (error) {
      logFailure("effect", error, { id: this.#id(), type: effect.type });
      this.#report(abort, { type: "failed", turn, reason: errorMessage(error) });
    } finally {
      abort.abort();
      for (const free of reservations) free();
    }
  }

  // Nothing is stored for it and no caller waits for it, so that it costs no more than the request. An object that dies does not ask; a refetch by hand does.
  async #searchAgain(containers: string[]): Promise<void> {
    await sleep(SEARCH_AGAIN_MS);
    const state = this.#load();
    if (state?.kind !== "run") return;
    try {
      const { files } = await searchFiles(this.env, { ...state.record, containers });
      if (files.length > 0) this.#handle({ type: "files_appeared", files });
    } catch (error) {
      logFailure("search_again", error, { id: state.record.id });
    }
  }

  // What a Connection brought is stored here now. When it does not hear of it, it asks again.
  #releaseConnection(effect: Effect, event: RecorderEvent): void {
    if (effect.type !== "observe" || effect.connection === null) return;
    // A control that was not opened may be opened late, and a release that comes late would hide it.
    if (event.type === "control_observed" && event.result?.control.status === "not_run") return;
    const { run, control } = this.openConnections();
    if (run?.id === effect.connection || control === effect.connection) return;
    this.ctx.waitUntil(releaseConnection(this.env, effect.connection));
  }

  // `abort` tells effects apart: after a write that storage refused, a turn can come twice.
  #report(abort: AbortController, event: RecorderEvent, bytes = NO_BYTES): void {
    // Another effect is under way by now, or none: this one's result does not count.
    if (this.#running?.abort !== abort) return;
    try {
      this.#apply(event, bytes);
    } catch (error) {
      this.#running = null;
      this.ctx.waitUntil(this.#recover(error));
    }
  }

  // The effect under way counts as lost when the alarm fires, and is performed again.
  async #recover(error: unknown): Promise<void> {
    const fields = { id: this.#id() };
    logFailure("recorder", error, fields);
    try {
      await this.ctx.storage.setAlarm(Date.now() + RECOVERY_MS);
    } catch (refused) {
      // The alarm that looks after the effect is still set.
      logFailure("recorder", refused, fields);
    }
  }

  #id(): string | null {
    const state = this.#state ?? null;
    return state?.kind === "run" ? state.record.id : (state?.id ?? null);
  }

  async *#updates(after: number): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    for (let last = after; ;) {
      const { promise } = this.#changed;
      if (this.#isUnreadable()) return;
      const state = this.#load();
      if (!isKnown(state)) return;
      for (const update of toProgressUpdates(state, last)) {
        last = update.seq;
        yield encoder.encode(`${JSON.stringify(update)}\n`);
      }
      // What happened while the reader was reading comes first.
      if (this.#load() !== state) continue;
      if (isAtRest(state)) return;
      await promise;
    }
  }
}

// The alarm that removes an expired run can be late.
function isFound(state: State | null): state is RunState {
  return isKnown(state) && Date.now() < Date.parse(state.record.expires_at);
}
