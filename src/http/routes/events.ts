// Follows a run: the Recorder's own history as server-sent events, from its beginning and then live.
import type { Context } from "hono";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import { createEventFormatter } from "../../views/text/progress-events.ts";
import { subscribe } from "../../workflows/instance.ts";
import type { App } from "../middleware/auth.ts";
import { parseResponseId } from "./response-id.ts";

/** A client that has gone is noticed only by a write. */
const HEARTBEAT_MS = 15_000;

/** Streams the events of a run after `Last-Event-ID`. The stream of an ended or unknown run sends its history and ends. */
export async function streamEvents(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  const last = Number(c.req.header("last-event-id") ?? Number.NaN);
  const after = Number.isSafeInteger(last) ? last : -1;
  const subscription = await subscribe(c.env, id);
  return streamSSE(c, async (stream) => {
    if (subscription !== null) await writeEvents(stream, subscription, after);
    if (!stream.aborted) await stream.writeSSE({ event: "end", data: "{}" });
  });
}

// Reads from the beginning even when the client has seen it: the words for an event depend on how the run began.
async function writeEvents(
  stream: SSEStreamingApi,
  subscription: WorkflowInstanceSubscription,
  after: number,
): Promise<void> {
  const heartbeat = setInterval(() => void stream.write(": heartbeat\n\n"), HEARTBEAT_MS);
  const formatEvent = createEventFormatter();
  const aborted = Promise.withResolvers<null>();
  stream.onAbort(() => {
    aborted.resolve(null);
    clearInterval(heartbeat);
    subscription[Symbol.dispose]();
  });
  for (;;) {
    const next = await Promise.race([subscription.next(), aborted.promise]);
    if (next === null) return;
    if (next.done === true) break;
    const event = formatEvent(next.value);
    if (event === null || next.value.eventId <= after) continue;
    await stream.writeSSE({
      id: String(next.value.eventId),
      event: "step",
      data: JSON.stringify(event),
    });
  }
  clearInterval(heartbeat);
  subscription[Symbol.dispose]();
}
