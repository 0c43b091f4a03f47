// Follows a run: the Recorder's own history as server-sent events, from the beginning and then as it happens.
import type { Context } from "hono";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import { subscribe } from "../../workflows/instance.ts";
import { teller } from "../../views/text/progress-events.ts";
import { responseId } from "./response-id.ts";
import type { App } from "../middleware/auth.ts";

/** Milliseconds between signs of life; a client that has gone is noticed only when something is written. */
const HEARTBEAT = 15_000;

/**
 * The events of a run, after `Last-Event-ID` where there is one. An ended or unknown run's stream sends what there is, and ends.
 * @param c The request's context.
 */
export async function events(c: Context<App>): Promise<Response> {
  const id = responseId(c.req.param("id"));
  const last = Number(c.req.header("last-event-id") ?? Number.NaN);
  const after = Number.isSafeInteger(last) ? last : -1;
  const subscription = await subscribe(c.env, id);
  return streamSSE(c, async (stream) => {
    if (subscription !== null) await follow(stream, subscription, after);
    if (!stream.aborted) await stream.writeSSE({ event: "end", data: "{}" });
  });
}

// Heard from the beginning even where a reader has seen it: how a run is told depends on how it began.
async function follow(
  stream: SSEStreamingApi,
  subscription: WorkflowInstanceSubscription,
  after: number,
): Promise<void> {
  const heartbeat = setInterval(() => void stream.write(": still here\n\n"), HEARTBEAT);
  const tell = teller();
  const gone = Promise.withResolvers<null>();
  stream.onAbort(() => {
    gone.resolve(null);
    clearInterval(heartbeat);
    subscription[Symbol.dispose]();
  });
  for (;;) {
    const next = await Promise.race([subscription.next(), gone.promise]);
    if (next === null) return;
    if (next.done === true) break;
    const event = tell(next.value);
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
