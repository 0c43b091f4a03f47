import type { Context } from "hono";
import type { AppEnv } from "../app.ts";
import { toServerSentEvent } from "./event-log.ts";
import type { View } from "./items.ts";
import type { Run } from "./run.ts";

interface StreamOptions {
  view: View;
  /** The number of the first event to send. */
  from?: number;
}

/** Answers with a run's events: those that were, then those that come, until the last. */
export function streamEvents(
  c: Context<AppEnv>,
  run: Run,
  { view: see, from = 0 }: StreamOptions,
): Response {
  const encoder = new TextEncoder();
  const events = run.events.readFrom(from);
  let left = c.get("cutAfter") ?? Infinity;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = left > 0 ? await events.next() : { value: undefined };
      // A fault: the connection stays open, and nothing comes through it any more.
      if (!value && c.get("stalls")) return new Promise<void>(() => undefined);
      if (!value) return closeStream(c, controller, left);
      left -= 1;
      controller.enqueue(encoder.encode(toServerSentEvent(value, see)));
    },
  });
  return c.body(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
}

function closeStream(
  c: Context<AppEnv>,
  controller: ReadableStreamDefaultController,
  left: number,
): void {
  if (left > 0) return controller.close();
  // Sends what was written, but not the end of the body: the client sees a broken connection.
  c.env.outgoing.socket?.destroySoon();
}
