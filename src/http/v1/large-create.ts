// Forwards a create that is too large to be held, byte by byte, and records the run if it is a background run.
import type { Context } from "hono";
import { assertSafeJson } from "../../api/json-body.ts";
import { toByteStream } from "../../lib/byte-stream.ts";
import { parseJson } from "../../lib/json-parse.ts";
import { BoundedReader } from "../../lib/json-stream.ts";
import { toHoldHeader } from "../../record/request/hold.ts";
import type { App } from "../middleware/auth.ts";
import { recordCreated, toCreateProblem } from "./background-create.ts";
import type { OpenAIError } from "./errors.ts";
import { Params, toOptions, toStart } from "./held-create.ts";
import { forward } from "./proxy.ts";

/**
 * Forwards it.
 * @param chunks The beginning of its body.
 * @param rest The unread rest.
 * @throws Problem 502 `may_have_started`, 503 `handover_failed`.
 */
export async function createLarge(
  c: Context<App>,
  chunks: Uint8Array[],
  rest: ReadableStream<Uint8Array>,
): Promise<Response | OpenAIError> {
  const reader = new BoundedReader();
  const body = toByteStream(readAlong(chunks, rest, reader));
  const answer = await forward(c, { body: withLength(c, body), isDetached: true });
  const { truncated, bytes } = reader.end();
  const sent = Params.safeParse(parseJson(truncated)).data ?? {};
  if (sent["background"] !== true) return answer;
  c.set("hold", toHoldHeader({ isHeld: false, reason: "too_large" }));
  if (!(answer instanceof Response)) return answer;
  // An event stream is not read here; the webhook leads to its record.
  if (!answer.ok || sent["stream"] === true) return answer;
  return record(c, sent, bytes, answer);
}

async function record(
  c: Context<App>,
  sent: Record<string, unknown>,
  bytes: number,
  answer: Response,
): Promise<Response> {
  try {
    const request = assertSafeJson(sent);
    const start = toStart(c, toOptions(request["include"], false), request, bytes);
    const created = await recordCreated(c.env, start, await answer.json(), answer.headers);
    if (created.kind === "refused") return answer;
    return c.json(created.response, 200, created.headers);
  } catch (error) {
    throw toCreateProblem(error);
  }
}

async function* readAlong(
  chunks: Uint8Array[],
  rest: ReadableStream<Uint8Array>,
  reader: BoundedReader,
): AsyncGenerator<Uint8Array> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
    reader.write(chunk);
    yield chunk;
  }
  for await (const chunk of rest) {
    reader.write(chunk);
    yield chunk;
  }
}

// A stream of unknown length would be sent in chunks.
function withLength(c: Context<App>, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const bytes = Number(c.req.header("content-length") ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? body.pipeThrough(new FixedLengthStream(bytes)) : body;
}
