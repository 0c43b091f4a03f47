// The event stream of a recorded run: what its Connection has, then what comes, and an end in any case.
import type { Context } from "hono";
import { readByteLines, toByteStream } from "../../lib/byte-stream.ts";
import { sleep, withTimeout } from "../../lib/retry.ts";
import { getConnection } from "../../objects/connection/client.ts";
import type { ConnectionReport } from "../../objects/connection/report.ts";
import type { StoredRecord } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";
import { awaitEndedResponse } from "./ended-response.ts";
import { toOpenAIError, type OpenAIError } from "./errors.ts";
import { replayResponse, toTerminalEvent } from "./made-replay.ts";
import {
  parseOwnEvent,
  toOwnNumber,
  toServedEvents,
  toServerSentEvent,
  type ServedEvent,
  type StreamView,
} from "./served-events.ts";

/** An event's number; -1 stands for none. */
const STARTING_AFTER = /^(-1|\d{1,9})$/;
/** Milliseconds of silence after which a comment is sent: connections that say nothing are cut. */
const KEEP_ALIVE_MS = 15_000;
const COMMENT = new TextEncoder().encode(": keep-alive\n\n");
/** A Connection is asked again so often in a row, at this interval in milliseconds, while it brings nothing: its object may be restarted. */
const RETRIES = 20;
const RETRY_MS = 500;

/** A run whose events a caller reads. */
export type StreamedRun = {
  id: string;
  /** The name of its Connection. */
  connection: string;
  view: StreamView;
  /** The served number of the last event that the caller has; -1 when it has none. */
  after: number;
};

/**
 * Answers with the events of a recorded run, as the query asks.
 * @param known The record of a run that has a Connection.
 * @param include The request's `include` values.
 */
export function streamRecorded(
  c: Context<App>,
  known: StoredRecord,
  include: string[],
): Response | OpenAIError {
  const after = c.req.query("starting_after") ?? "-1";
  if (!STARTING_AFTER.test(after)) {
    const message = `Invalid value for starting_after: '${after}'. Expected the sequence_number of an event.`;
    return toOpenAIError(400, message, { param: "starting_after", code: "invalid_value" });
  }
  const view = {
    isHeld: known.held !== null,
    // A replay shows what either request asked for.
    include: new Set([...known.include, ...include]),
    obfuscates: c.req.query("include_obfuscation") !== "false",
  };
  const connection = known.connection?.id ?? "";
  return streamRun(c, { id: known.id, connection, view, after: Number(after) });
}

/** Answers with a run's events: those after a number, and then those that come. A caller who leaves changes nothing of the run. */
export function streamRun(
  c: Context<App>,
  run: StreamedRun,
  headers: Record<string, string> = {},
): Response {
  const body = toByteStream(withKeepAlive(toChunks(readEvents(c.env, run))));
  return c.body(body, 200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
}

async function* toChunks(events: AsyncGenerator<ServedEvent>): AsyncGenerator<Uint8Array> {
  for await (const event of events) yield* toServerSentEvent(event);
}

// A caller that went away is noticed by a write.
async function* withKeepAlive(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let next = chunks.next();
  try {
    for (;;) {
      const result = await withTimeout(next, KEEP_ALIVE_MS, null);
      if (result?.done === true) return;
      yield result?.value ?? COMMENT;
      if (result !== null) next = chunks.next();
    }
  } finally {
    // It may wait for an event, so its end is not awaited; nor does its failure concern anybody.
    void Promise.allSettled([next, chunks.return(undefined)]);
  }
}

async function* readEvents(env: Env, run: StreamedRun): AsyncGenerator<ServedEvent> {
  const { report, last } = yield* readConnection(env, run);
  if (report !== null && report.response !== null) return;
  const ended = await awaitEndedResponse(env, run.id);
  if (ended === null) return;
  const { include } = run.view;
  // The events are not kept any more.
  if (report === null) yield* replayResponse(ended, last, include);
  else if (!isSilentEnd(ended.status, report, run.view)) {
    yield toTerminalEvent(ended, last + 1, include);
  }
}

// OpenAI sends no last event of a run that was cancelled.
function isSilentEnd(status: string, { end }: ConnectionReport, { isHeld }: StreamView): boolean {
  return status === "cancelled" && (!isHeld || end?.reason === "closed");
}

/** What a Connection says of its end, null when it is gone; and the last served number. */
type ReadEnd = { report: ConnectionReport | null; last: number };

async function* readConnection(
  env: Env,
  { connection, view, after }: StreamedRun,
): AsyncGenerator<ServedEvent, ReadEnd> {
  let own = toOwnNumber(after, view);
  let last = after;
  for (let retries = 0; ; retries += 1) {
    try {
      const lines = await getConnection(env, connection).read(own);
      for await (const line of readByteLines(lines)) {
        const event = parseOwnEvent(line);
        own = event.number;
        retries = 0;
        for (const served of toServedEvents(event, view)) {
          if (served.number <= after) continue;
          last = served.number;
          yield served;
        }
      }
      const report = await getConnection(env, connection).report();
      if (report === null || !report.isReading) return { report, last };
    } catch (error) {
      if (retries >= RETRIES) throw error;
    }
    await sleep(RETRY_MS);
  }
}
