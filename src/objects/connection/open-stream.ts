// Opens a response's event stream, and reads up to the first event that says which response it is.
import { createResponseStream, type RequestBody } from "../../openai/client.ts";
import { openEventStream, type EventStream } from "../../openai/event-stream.ts";
import { CreatedResponse } from "../../openai/response.ts";
import type { EventLog } from "./event-log.ts";
import { addEvent, type EventNews } from "./stream-reader.ts";

/** A stream whose first response object has come; the events after it are unread. */
export type OpenedStream = {
  stream: EventStream;
  created: CreatedResponse;
  /** The first response object, as JSON. */
  response: Uint8Array;
  news: EventNews;
};

/**
 * Sends a request whose answer is streamed.
 * @param log Gets the events.
 * @throws What the SDK throws, and an Error when the stream has no response object, or an `error` event before it.
 */
export async function openStream(
  env: Env,
  body: RequestBody,
  log: EventLog,
  signal: AbortSignal,
): Promise<OpenedStream> {
  const stream = openEventStream(await createResponseStream(env, body, signal));
  for await (const event of keepOpen(stream.events)) {
    const news = addEvent(log, event, null);
    const error = news?.seen?.error;
    if (error !== undefined) throw new Error(error.message);
    if (news === null || news.response === null) continue;
    const created = CreatedResponse.parse(JSON.parse(new TextDecoder().decode(news.response)));
    return { stream, created, response: news.response.slice(), news };
  }
  throw new Error("OpenAI's stream ended before its first response object.");
}

// `for await` would end the stream when its loop is left.
async function* keepOpen<T>(events: AsyncGenerator<T>): AsyncGenerator<T> {
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    yield next.value;
  }
}
