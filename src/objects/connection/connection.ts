// The Connection: one object per event stream of OpenAI's that is read as it comes.
// What it does next is decided in record/connection/transition.ts; this class stores events and states, sets alarms, and talks to OpenAI and the Recorder.
import { DurableObject } from "cloudflare:workers";
import { toByteStream } from "../../lib/byte-stream.ts";
import { retry, sleep, withTimeout } from "../../lib/retry.ts";
import { log, logFailure } from "../../log.ts";
import { toApiFailure } from "../../openai/api-failure.ts";
import { pickAnswerHeaders } from "../../openai/answer-headers.ts";
import type { CallerHeaders, RequestBody } from "../../openai/client.ts";
import type { EventStream } from "../../openai/event-stream.ts";
import { toCreatedFields } from "../../openai/response.ts";
import {
  isReading,
  type ConnectionParams,
  type ConnectionState,
} from "../../record/connection/state.ts";
import {
  mustResume,
  nextCall,
  runOf,
  transitionConnection,
  type ConnectionCall,
  type ConnectionEvent,
} from "../../record/connection/transition.ts";
import { callRecorder } from "./call-recorder.ts";
import type { EventLog } from "./event-log.ts";
import { Line } from "./line.ts";
import { isPermanent, openStream, resumeStream, type OpenedStream } from "./open-stream.ts";
import { inOrder, toFailure, toReport, type ConnectionReport, type Opening } from "./report.ts";
import { Store } from "./store.ts";
import { findFirstResponse, itemsJson, lastResponseParts } from "./stored-events.ts";
import { addEvent, type EventNews } from "./stream-reader.ts";

/** Milliseconds that the caller waits for the hand-over after that. */
const HAND_OVER_MS = 8_000;
const HAND_OVER_ATTEMPTS = 3;
/** Small events are stored after this many milliseconds; in a long run, after which each row counts, later. */
const PACK_MS = 500;
const PACK_LONG_RUN_MS = 5_000;
const LONG_RUN_MS = 60_000;
/** Milliseconds between attempts to store the end while storage refuses. */
const STORE_RETRY_MS = [1_000, 2_000, 4_000, 8_000];
/** After an alarm that could not be handled, milliseconds until the next one. */
const RECOVERY_MS = 5_000;
/** A state that can't be read waits for the version that wrote it, and is looked at again after this many milliseconds. */
const UNREADABLE_MS = 60 * 60_000;
/** `close` waits this many milliseconds until the Recorder has heard of the end. */
const CLOSE_WAIT_MS = 10_000;
/** A reader that waits looks around after this many milliseconds, so that one that went away is noticed. */
const READER_WAIT_MS = 15_000;

/** The Connection of one event stream. */
export class Connection extends DurableObject<Env> {
  readonly #store: Store;
  readonly #log: EventLog;
  /** Undefined until it is loaded. */
  #state: ConnectionState | null | undefined;
  #line: Line | null = null;
  #isCalling = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #changed = Promise.withResolvers<null>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new Store(ctx.storage);
    this.#log = this.#store.log;
  }

  /**
   * Sends a request, and answers as soon as the response's id is known.
   * @param body The request as JSON. It is stored nowhere.
   * @param bytes Its size.
   * @param name The Connection's own name.
   * @param headers The caller's. They are stored nowhere.
   * @throws Error when it was opened before.
   */
  async open(
    body: ReadableStream<Uint8Array>,
    bytes: number,
    name: string,
    params: ConnectionParams,
    headers: CallerHeaders = {},
  ): Promise<Opening> {
    if (this.#load() !== null) throw new Error("The Connection was opened before.");
    this.#apply({ type: "open", connection: name, params });
    const opening = this.#open({ stream: body, bytes }, headers);
    // It goes on when the caller is gone.
    this.ctx.waitUntil(opening);
    return opening;
  }

  /** What is known of the stream; null when the Connection was never opened, or was removed. */
  report(): ConnectionReport | null {
    const state = this.#wake();
    return state === null ? null : toReport(state);
  }

  /** The whole response of the last event, as OpenAI sent it; null when that did not come. One that was too large has its long texts truncated. */
  lastResponse(): ReadableStream<Uint8Array> | null {
    const response = this.#wake()?.response ?? null;
    return response === null ? null : toByteStream(lastResponseParts(this.#log, response));
  }

  /**
   * Items that were finished, in their order.
   * @param keys Which items.
   * @returns An array as JSON.
   */
  items(keys: string[]): ReadableStream<Uint8Array> {
    const items = (this.#wake()?.items ?? []).filter(({ key }) => keys.includes(key));
    const numbers = inOrder(items).map(({ number }) => number);
    return toByteStream(itemsJson(this.#log, numbers));
  }

  /** The response object of the first event that has one; null when there is none. */
  firstResponse(): Uint8Array | null {
    return this.#wake() === null ? null : findFirstResponse(this.#log);
  }

  /**
   * The events after a number: those that came, and then those that come, until the stream's end.
   * @param after The own number of the last event that the reader has; 0 for all.
   * @returns Lines: the event's own number, a space, and its JSON. None when the Connection is not known.
   */
  read(after: number): ReadableStream<Uint8Array> {
    this.#wake();
    return toByteStream(this.#read(after));
  }

  /** The Recorder has read what it needs. */
  release(): void {
    if (this.#wake() !== null) this.#apply({ type: "release" });
  }

  /**
   * Ends the stream, and waits until the Recorder has heard of it.
   * @param graceMs Milliseconds in which it may end by itself.
   */
  async close(graceMs: number): Promise<void> {
    await this.#waitWhile((state) => isReading(state), graceMs);
    if (this.#load() === null) return;
    // A stream that is to be taken up again is not read at the moment.
    if (this.#line !== null) this.#apply({ type: "close" });
    else this.#apply({ type: "stream_ended", reason: "closed", last: this.#log.lastEvent });
    await this.#waitWhile((state) => isReading(state) || state.phase === "ended", CLOSE_WAIT_MS);
  }

  /** Removes everything, also what can't be read; a stream that is being read is closed. */
  remove(): void {
    this.#line?.end();
    if (this.#store.isUnreadable()) this.#forget();
    else if (this.#load() !== null) this.#apply({ type: "remove" });
  }

  // An alarm that throws is called again six times and then never: https://developers.cloudflare.com/durable-objects/api/alarms/
  override async alarm(): Promise<void> {
    try {
      const state = this.#load();
      if (state !== null && isReading(state) && this.#line === null) this.#logLoss(state);
      if (state !== null) this.#applyAlarm();
    } catch (error) {
      logFailure("connection_alarm", error, this.#fields());
      const pauseMs = this.#store.isUnreadable() ? UNREADABLE_MS : RECOVERY_MS;
      await this.ctx.storage.setAlarm(Date.now() + pauseMs);
    }
  }

  // An object that was created again does not read the stream that its state speaks of. A call notices it before the alarm does.
  #wake(): ConnectionState | null {
    const state = this.#load();
    if (state === null || !isReading(state) || this.#line !== null) return state;
    if (state.resume_at_ms !== null) return state;
    this.#logLoss(state);
    this.#applyAlarm();
    return this.#load();
  }

  #applyAlarm(): void {
    this.#apply({ type: "alarm", isAlive: this.#line !== null, last: this.#log.lastEvent });
  }

  #logLoss(state: ConnectionState): void {
    if (state.resume_at_ms !== null) return;
    const outcome = state.phase === "opening" ? "may_have_started" : "lost";
    log("connection_lost", { ...this.#fields(), outcome });
  }

  async #open(body: RequestBody, headers: CallerHeaders): Promise<Opening> {
    const line = new Line();
    this.#line = line;
    try {
      const opened = await openStream(this.env, body, this.#log, line.signal, headers);
      line.keep();
      // The run has started: storage that refuses for a moment does not end it.
      await retry(STORE_RETRY_MS, async () => this.#takeOver(opened));
      if (this.#load() === null) throw new Error("The Connection was removed.");
      log("connection_open", { ...this.#fields(), outcome: "opened" });
      this.ctx.waitUntil(this.#readToEnd(opened.stream, line, null));
      await this.#waitWhile(
        ({ handed_over, attempts }) => !handed_over && attempts < HAND_OVER_ATTEMPTS,
        HAND_OVER_MS,
      );
      const { id, status } = opened.created;
      const isHandedOver = this.#load()?.handed_over ?? false;
      const { response, stream } = opened;
      const answered = pickAnswerHeaders(stream.headers);
      return { kind: "opened", id, status, response, headers: answered, isHandedOver };
    } catch (error) {
      return this.#failToOpen(error, line);
    }
  }

  #takeOver({ stream, created, news }: OpenedStream): void {
    if (this.#load() === null) return;
    const { httpStatus: http_status, requestId: request_id } = stream;
    const { id } = created;
    const fields = toCreatedFields(created);
    this.#apply({ type: "opened", id, created: fields, http_status, request_id });
    if (news.isLast && news.seen !== null) this.#apply(news.seen);
  }

  #failToOpen(error: unknown, line: Line): Opening {
    const isLate = line.signal.aborted;
    line.end();
    this.#line = null;
    const opening = toFailure(error, isLate);
    const { status: http_status, requestId: request_id, message } = toApiFailure(error);
    const fields = { ...this.#fields(), http_status, request_id };
    // OpenAI's own words can quote the key.
    log("connection_open", {
      ...fields,
      outcome: opening.kind,
      ...(http_status === null ? { error: message } : {}),
    });
    const reason = http_status === null ? "unreachable" : "refused";
    if (this.#load() !== null) this.#apply({ type: "not_opened", reason, http_status, request_id });
    return opening;
  }

  // `after`: the `sequence_number` of the last event that is known already, when the stream was taken up again.
  async #readToEnd({ events }: EventStream, line: Line, after: number | null): Promise<void> {
    let isWhole = (this.#load()?.response ?? null) !== null;
    try {
      for await (const body of isWhole ? [] : events) {
        if (this.#line !== line) return;
        const news = addEvent(this.#log, body, after);
        if (news === null) continue;
        await retry(STORE_RETRY_MS, async () => this.#keep(news, after !== null));
        isWhole = news.isLast;
        if (isWhole) break;
      }
    } catch (error) {
      // A Connection that was removed ended its line itself.
      if (!line.isClosed && this.#line === line)
        logFailure("connection_broke", error, this.#fields());
    }
    line.end();
    if (this.#line !== line) return;
    this.#line = null;
    const reason = isWhole ? "terminal" : line.isClosed ? "closed" : "broken";
    await this.#applyEnd({ type: "stream_ended", reason, last: this.#log.lastEvent });
  }

  // Storage may refuse: nothing is lost when it is done again.
  #keep({ seen, isImportant }: EventNews, wasResumed: boolean): void {
    if (wasResumed && (this.#load()?.resume_at_ms ?? null) !== null) {
      this.#apply({ type: "resumed" });
    }
    if (seen !== null) this.#apply(seen);
    else if (isImportant || this.#log.isFull) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#packMs());
    this.#notify();
  }

  #packMs(): number {
    const openedAtMs = this.#state?.opened_at_ms ?? 0;
    return Date.now() - openedAtMs > LONG_RUN_MS ? PACK_LONG_RUN_MS : PACK_MS;
  }

  async #applyEnd(event: ConnectionEvent): Promise<void> {
    if (this.#load() === null) return;
    try {
      await retry(STORE_RETRY_MS, async () => this.#apply(event));
    } catch (error) {
      // The alarm finds a stream that is not read any more.
      logFailure("connection_end", error, this.#fields());
    }
  }

  async #resume(): Promise<void> {
    const line = new Line();
    this.#line = line;
    const after = this.#log.lastEvent?.sequenceNumber ?? 0;
    const fields = { ...this.#fields(), after };
    try {
      const stream = await resumeStream(this.env, this.#load(), after, line.signal);
      line.keep();
      log("connection_resume", { ...fields, outcome: "resumed" });
      await this.#readToEnd(stream, line, after);
    } catch (error) {
      line.end();
      if (this.#line !== line) return;
      this.#line = null;
      const { status: http_status } = toApiFailure(error);
      const isRefused = isPermanent(http_status);
      log("connection_resume", {
        ...fields,
        outcome: isRefused ? "refused" : "failed",
        http_status,
      });
      const last = this.#log.lastEvent;
      // A request that was closed on request has not failed, and is not repeated.
      await this.#applyEnd(
        line.isClosed
          ? { type: "stream_ended", reason: "closed", last }
          : { type: "resume_failed", isRefused, last },
      );
    }
  }

  #load(): ConnectionState | null {
    if (this.#state !== undefined) return this.#state;
    const state = this.#store.load();
    this.#state = state;
    return state;
  }

  #apply(event: ConnectionEvent): void {
    const before = this.#load();
    const { state, alarm, disconnect } = transitionConnection(before, event, Date.now());
    if (state !== null) this.#write(before, state);
    this.#state = state;
    // Nothing is awaited since the state was written, so both are stored or none is.
    if (state === null) this.#forget();
    else if (alarm !== null) void this.ctx.storage.setAlarm(alarm);
    if (disconnect) this.#line?.close();
    this.#logEnd(before, state);
    this.#notify();
    this.#drive();
  }

  #write(before: ConnectionState | null, after: ConnectionState): void {
    this.#stopTimer();
    this.#store.write(before, after);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  // Events that could not be stored are kept in memory, and stored with the next ones.
  #flush(): void {
    const state = this.#load();
    try {
      if (state !== null) this.#write(state, state);
    } catch (error) {
      logFailure("connection_store", error, this.#fields());
    }
  }

  #forget(): void {
    this.#stopTimer();
    this.#log.reset();
    this.#line?.end();
    this.#line = null;
    void this.ctx.storage.deleteAll();
  }

  #notify(): void {
    this.#changed.resolve(null);
    this.#changed = Promise.withResolvers();
  }

  // Does what is due: a call to the Recorder, or taking up a broken stream.
  #drive(): void {
    const state = this.#state ?? null;
    if (state === null) return;
    const now = Date.now();
    const call = this.#isCalling ? null : nextCall(state, now);
    if (call !== null) this.ctx.waitUntil(this.#call(call));
    if (mustResume(state, this.#line !== null, now)) this.ctx.waitUntil(this.#resume());
  }

  async #call(call: ConnectionCall): Promise<void> {
    this.#isCalling = true;
    const event = await callRecorder(this.env, call, this.#fields());
    this.#isCalling = false;
    try {
      if (this.#load() !== null) this.#apply(event);
    } catch (error) {
      // The alarm calls again.
      logFailure("connection_store", error, this.#fields());
    }
  }

  async #waitWhile(holds: (state: ConnectionState) => boolean, limitMs: number): Promise<void> {
    const endsAt = Date.now() + limitMs;
    for (;;) {
      const state = this.#wake();
      const leftMs = endsAt - Date.now();
      if (state === null || !holds(state) || leftMs <= 0) return;
      await withTimeout(this.#changed.promise, leftMs, null);
    }
  }

  async *#read(after: number): AsyncGenerator<Uint8Array> {
    for (let last = after; ;) {
      const { promise } = this.#changed;
      for (const lines of this.#log.linesAfter(last)) {
        if (lines.bytes.length > 0) yield lines.bytes;
        last = lines.last;
      }
      const state = this.#load();
      if (state === null) return;
      // What came while the reader was reading comes first.
      if (last < this.#log.lastNumber) continue;
      if (!isReading(state)) return;
      await Promise.race([promise, sleep(READER_WAIT_MS)]);
    }
  }

  #logEnd(before: ConnectionState | null, after: ConnectionState | null): void {
    const end = after?.end ?? null;
    if (end === null || (before?.end ?? null) !== null) return;
    const { reason, last_event } = end;
    log("connection_end", { ...this.#fields(), outcome: reason, last_event });
  }

  #fields(): { id: string | null; connection: string | null; kind: string | null } {
    const state = this.#state ?? null;
    if (state === null) return { id: null, connection: null, kind: null };
    return { id: runOf(state), connection: state.connection, kind: state.params.kind };
  }
}
