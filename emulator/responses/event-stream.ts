import type { Context } from "hono";
import type { AppEnv } from "../app-env.ts";
import { toServerSentEvent } from "./event-log.ts";
import type { Run } from "./run.ts";
import type { View } from "./visibility.ts";

interface StreamOptions {
  view: View;
  /** The number of the first event to send. */
  firstNumber?: number;
  /** Whether the stream answers the request that created the run: a script can break that one. */
  isCreator: boolean;
  /** Whether deltas carry obfuscation. */
  obfuscates: boolean;
}

/** Responds with a run's events as server-sent events: past ones first, then new ones until the run ends. */
export function streamEvents(
  c: Context<AppEnv>,
  run: Run,
  { view, firstNumber = 0, isCreator, obfuscates }: StreamOptions,
): Response {
  const encoder = new TextEncoder();
  const events = run.events.readFrom(firstNumber, { isCreator });
  const fault = c.get("streamFault");
  let eventsLeft = fault?.afterEvents ?? Infinity;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = eventsLeft > 0 ? await events.next() : { value: "cut" as const };
      if (value === undefined || typeof value === "string") {
        // A pull that never resolves keeps the connection open without sending anything.
        if (fault?.staysOpen) return new Promise<void>(() => undefined);
        return value === "cut" ? breakConnection(c) : controller.close();
      }
      const isLast = fault !== undefined && value.event.doneType === fault.afterItem;
      eventsLeft = isLast ? 0 : eventsLeft - 1;
      controller.enqueue(encoder.encode(toServerSentEvent(value, view, { obfuscates })));
    },
  });
  return c.body(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
}

/** Closes the connection after the bytes already written. The body has no end, so the client sees a broken connection. */
function breakConnection(c: Context<AppEnv>): void {
  c.env.outgoing.socket?.destroySoon();
}
