// One look by each channel: asks OpenAI, gives an observation. A failure of OpenAI's is an observation too, never an exception.
import { APIError } from "openai";
import { z } from "zod";
import { LARGEST_BODY, readBody, type ReadBody } from "./body.ts";
import { messageOf, METADATA_KEY, retrieve } from "./openai.ts";
import type { Body, Facts, Intent, Known, Look, OutputState } from "./record.ts";

/** Seconds that a look may take, the body included. */
const TIME_LIMIT = 90;

/** 429 is a rate, to be tried again soon, or money: then it is not. */
const MONEY = [
  /^credit_balance_exhausted$/,
  /^insufficient_quota$/,
  /_spend_limit_exceeded$/,
  /_usage_limit_exceeded$/,
];

const nullable = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? null)
    .catch(null);

// Real bodies carry keys that no document names, so only what is needed is checked, and the rest let through.
const CallItem = z.looseObject({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  container_id: nullable(z.string()),
  code: nullable(z.string()),
  outputs: z.unknown(),
});

const ResponseObject = z.looseObject({
  id: z.string(),
  status: z.string(),
  model: nullable(z.string()),
  background: nullable(z.boolean()),
  store: nullable(z.boolean()),
  created_at: nullable(z.number()),
  completed_at: nullable(z.number()),
  metadata: nullable(z.record(z.string(), z.unknown())),
  error: nullable(z.looseObject({ code: z.string(), message: z.string() })),
  output: z.array(z.unknown()).catch([]),
});

const IntentValue = z.object({ include: z.array(z.string()).catch([]) });

/** What a look brought back, and the body's bytes to be stored beside it. */
export type Seen = { look: Look; chunks: Uint8Array[] | null };

/**
 * Looks by GET with `include`.
 * @param env The Worker's environment.
 * @param record What is known of the response.
 */
export async function refetch(env: Env, record: Known): Promise<Seen> {
  const at = new Date().toISOString();
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT * 1000);
    const response = await retrieve(env, record.id, record.include, signal);
    return await read(response, at);
  } catch (error) {
    return { look: failure(error, at), chunks: null };
  }
}

async function read(response: Response, at: string): Promise<Seen> {
  const requestId = response.headers.get("x-request-id");
  const status = response.status;
  const stream: ReadableStream<Uint8Array> | null = response.body;
  if (stream === null) return { look: broken(at, status, requestId), chunks: null };
  const body = await readBody(stream);
  const facts = factsOf(body.short);
  if (facts === null) return { look: broken(at, status, requestId), chunks: null };
  const kept = body.chunks === null ? null : await describe(body.chunks);
  const look: Look = {
    observation: {
      at,
      channel: "refetch",
      http_status: status,
      status: facts.status,
      request_id: requestId,
      calls: facts.calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts,
    body: kept,
    error: body.chunks === null ? tooLarge(body) : null,
    refused: false,
    retry_after: null,
  };
  return { look, chunks: body.chunks };
}

async function describe(chunks: Uint8Array[]): Promise<Body> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  let bytes = 0;
  for (const chunk of chunks) {
    await writer.write(chunk);
    bytes += chunk.byteLength;
  }
  await writer.close();
  const digest = new Uint8Array(await stream.digest);
  return { digest: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""), bytes };
}

function tooLarge(body: ReadBody): { code: string; message: string } {
  return {
    code: "too_large",
    message: `The response has ${body.bytes} bytes; at most ${LARGEST_BODY} can be stored. Its calls and their code are kept, what they printed is not.`,
  };
}

function factsOf(json: string): Facts | null {
  const parsed = ResponseObject.safeParse(parse(json));
  if (!parsed.success) return null;
  const { data } = parsed;
  return {
    status: data.status,
    model: data.model,
    background: data.background,
    store: data.store,
    created_at: iso(data.created_at),
    completed_at: iso(data.completed_at),
    intent: intentOf(data.metadata),
    error: data.error === null ? null : { code: data.error.code, message: data.error.message },
    calls: data.output.flatMap(callOf),
  };
}

function callOf(item: unknown): Facts["calls"] {
  const parsed = CallItem.safeParse(item);
  if (!parsed.success) return [];
  const { id, container_id, code, outputs } = parsed.data;
  return [{ id, container_id, code, state: stateOf(outputs) }];
}

function stateOf(outputs: unknown): OutputState {
  if (!Array.isArray(outputs)) return "null";
  return outputs.length > 0 ? "populated" : "empty";
}

function intentOf(metadata: Record<string, unknown> | null): Intent | null {
  const value = metadata?.[METADATA_KEY];
  if (typeof value !== "string") return null;
  const parsed = IntentValue.safeParse(parse(value));
  return parsed.success ? parsed.data : { include: [] };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function iso(seconds: number | null): string | null {
  if (seconds === null || !Number.isFinite(seconds) || Math.abs(seconds) > 8e12) return null;
  return new Date(seconds * 1000).toISOString();
}

function broken(at: string, status: number, requestId: string | null): Look {
  const message = "OpenAI's answer was not a response object. It is looked at again.";
  return unseen({ at, status, requestId, code: "broken_body", message, refused: false });
}

// The SDK throws more than its own errors: a SyntaxError on half a body, a TypeError on HTML, a DOMException on a time-out.
function failure(error: unknown, at: string): Look {
  if (!(error instanceof APIError) || error.status === undefined) {
    return unseen({
      at,
      status: null,
      requestId: null,
      code: "unreachable",
      message: messageOf(error),
      refused: false,
    });
  }
  const status: number = Number(error.status);
  return {
    ...unseen({
      at,
      status,
      requestId: error.requestID ?? null,
      code: error.code ?? `http_${status}`,
      message: messageOf(error),
      refused: isRefusal(status, error.code ?? ""),
    }),
    retry_after: retryAfter({ headers: error.headers }),
  };
}

function unseen(what: {
  at: string;
  status: number | null;
  requestId: string | null;
  code: string;
  message: string;
  refused: boolean;
}): Look {
  return {
    observation: {
      at: what.at,
      channel: "refetch",
      http_status: what.status,
      status: null,
      request_id: what.requestId,
      calls: [],
    },
    facts: null,
    body: null,
    error: { code: what.code, message: what.message.slice(0, 2_000) },
    refused: what.refused,
    retry_after: null,
  };
}

function isRefusal(status: number, code: string): boolean {
  if (status === 429) return MONEY.some((pattern) => pattern.test(code));
  return status >= 400 && status < 500 && status !== 408 && status !== 409;
}

function retryAfter(error: { headers: unknown }): number | null {
  const { headers } = error;
  if (!(headers instanceof Headers)) return null;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
