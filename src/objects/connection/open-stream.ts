// Opens a response's event stream, and reads up to the first event that says which response it is.
import { parseJson } from "../../lib/json-parse.ts";
import {
  createResponseStream,
  replayEventStream,
  type CallerHeaders,
  type RequestBody,
} from "../../openai/client.ts";
import { toApiError } from "../../openai/api-failure.ts";
import { readCreatedResponse } from "../../openai/created-response.ts";
import { openEventStream, type ErrorEvent, type EventStream } from "../../openai/event-stream.ts";
import type { CreatedResponse } from "../../openai/response.ts";
import type { ConnectionState, StartParams } from "../../record/connection/state.ts";
import { includeOf } from "../../record/request/include.ts";
import { requestTools } from "../../record/request/tools.ts";
import type { EventLog } from "./event-log.ts";
import { addEvent, type EventNews } from "./stream-reader.ts";

/** The statuses that stand for the codes of `error` events. */
const REFUSALS: readonly { codes: RegExp; status: number }[] = [
  { codes: /quota|billing|balance|(?:rate|spend|usage)_limit/, status: 429 },
  { codes: /^invalid_|_not_found$|unsupported/, status: 400 },
];

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
 * @param headers The caller's.
 * @throws What the SDK throws, also for an `error` event that comes first; an Error when the stream has no response object.
 */
export async function openStream(
  env: Env,
  body: RequestBody,
  log: EventLog,
  signal: AbortSignal,
  headers: CallerHeaders,
): Promise<OpenedStream> {
  const stream = openEventStream(await createResponseStream(env, body, signal, headers));
  for await (const event of keepOpen(stream.events)) {
    const news = addEvent(log, event, null);
    const error = news?.seen?.error;
    if (error !== undefined) throw toRefusal(error, stream.requestId);
    if (news === null || news.response === null) continue;
    const created = readCreatedResponse(parseJson(new TextDecoder().decode(news.response)));
    return { stream, created, response: news.response.slice(), news };
  }
  throw new Error("OpenAI's stream ended before its first response object.");
}

// The refusal of a request whose answer had begun. Only what OpenAI says of the request itself is known to have started nothing.
function toRefusal({ code, message }: ErrorEvent, requestId: string | null): Error {
  const found = REFUSALS.find(({ codes }) => codes.test(code));
  if (found === undefined) return new Error(message);
  return toApiError({ status: found.status, error: { code, message }, requestId });
}

/**
 * Takes a broken stream up again.
 * @param state Of the followed run.
 * @param after The `sequence_number` of the last event that is known.
 * @throws What the SDK throws.
 */
export async function resumeStream(
  env: Env,
  state: ConnectionState | null,
  after: number,
  signal: AbortSignal,
): Promise<EventStream> {
  const params = state?.params;
  const include = params?.kind === "followed" ? toInclude(params.start) : [];
  const id = state?.id ?? "";
  return openEventStream(await replayEventStream(env, id, include, signal, after));
}

// What a refetch would ask for, too.
function toInclude({ request, options }: StartParams): string[] {
  const include = options?.include ?? [];
  return includeOf({ tools: requestTools(request), include, refused_include: [] });
}

/** Whether a refusal with this status will be repeated; null when nothing was answered. */
export function isPermanent(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

// `for await` would end the stream when its loop is left.
async function* keepOpen<T>(events: AsyncGenerator<T>): AsyncGenerator<T> {
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    yield next.value;
  }
}
