// Follows a run: its progress as server-sent events, from its beginning and then live.
import type { Context } from "hono";
import type { RunStep } from "../../api/schemas.ts";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import { logFailure } from "../../log.ts";
import { followRun, followStatus } from "../../objects/recorder/client.ts";
import type { ProgressUpdate } from "../../record/progress.ts";
import { formatProgress, formatWait } from "../../views/text/progress-events.ts";
import type { App } from "../middleware/auth.ts";
import { parseResponseId } from "./response-id.ts";

/** A client that has gone is noticed only by a write. */
const HEARTBEAT_MS = 15_000;

/** Streams the events of a run after `Last-Event-ID`. The stream of a settled or unknown run sends its history and ends. */
export async function streamEvents(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  const last = Number.parseInt(c.req.header("last-event-id") ?? "", 10);
  const updates = followRun(c.env, id, Number.isSafeInteger(last) ? last : 0);
  return streamSSE(c, async (stream) => {
    // It ends with the run, or with its reader.
    writeStatuses(stream, c.env, id).catch((error: unknown) => logFailure("status", error, { id }));
    await writeEvents(stream, updates);
    if (!stream.aborted) await stream.writeSSE({ event: "end", data: "{}" });
  });
}

async function writeEvents(
  stream: SSEStreamingApi,
  updates: AsyncGenerator<ProgressUpdate>,
): Promise<void> {
  const heartbeat = setInterval(() => void stream.write(": heartbeat\n\n"), HEARTBEAT_MS);
  const aborted = Promise.withResolvers<null>();
  stream.onAbort(() => {
    aborted.resolve(null);
    clearInterval(heartbeat);
  });
  for (;;) {
    const next = await Promise.race([updates.next(), aborted.promise]);
    if (next === null || next.done === true) break;
    await writeUpdate(stream, next.value);
  }
  clearInterval(heartbeat);
  // The generator waits for the next update; its end is not awaited.
  void updates.return(undefined);
}

// No id: a reader that comes back needs only the newest.
async function writeStatuses(stream: SSEStreamingApi, env: Env, id: string): Promise<void> {
  let shownAt: string | null = null;
  for await (const { status, at } of followStatus(env, id)) {
    if (stream.aborted) return;
    if (at === null || at === shownAt) continue;
    shownAt = at;
    await stream.writeSSE({ event: "status", data: JSON.stringify({ status, at }) });
  }
}

// What the Recorder waits for has an id of its own: the page shows each id once.
async function writeUpdate(stream: SSEStreamingApi, update: ProgressUpdate): Promise<void> {
  const { seq, type, channel, status, verdict } = update;
  const events = [
    { id: String(seq), kind: type, text: formatProgress(update) },
    { id: `${seq}.wait`, kind: "waiting" as const, text: formatWait(update) },
  ];
  for (const { id, kind, text } of events) {
    if (text === null) continue;
    const event: RunStep = { kind, channel, status, verdict, ...text };
    await stream.writeSSE({ id, event: "step", data: JSON.stringify(event) });
  }
}
