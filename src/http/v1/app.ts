// OpenAI's API for unchanged SDK code. A run with `background: true` is held, so that its outputs are there; everything else is forwarded.
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { assertStorable, parseInclude } from "../../api/create-params.ts";
import { parseJsonBody } from "../../api/json-body.ts";
import { readPolicy } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { decodeChunks, streamChunks } from "../../lib/byte-stream.ts";
import { parseJson } from "../../lib/json-parse.ts";
import { findMember, parseValue } from "../../lib/json-scan.ts";
import { sleep } from "../../lib/retry.ts";
import { logFailure, withLog } from "../../log.ts";
import {
  findRun,
  reportCancel,
  readRunOutputs,
  type Found,
} from "../../objects/recorder/client.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";
import { deleteRun } from "../../workflows/actions.ts";
import type { Begun, Holding } from "../../workflows/holder.ts";
import { beginningOf, objectOf, startHolder, stopHolder } from "../../workflows/holding.ts";
import { hasValidToken, type App } from "../middleware/auth.ts";
import { limitTriggers } from "../middleware/rate-limit.ts";
import { fromProblem, toOpenAIError, OPENAI_KEY_REFUSED, type OpenAIError } from "./errors.ts";
import { toForegroundResponse } from "./foreground-response.ts";
import { forward } from "./proxy.ts";

/** Inputs can contain images. */
const MAX_CREATE_BYTES = 25 * 1024 * 1024;
/** How often, and at which intervals in milliseconds, a cancelled run is asked whether it has ended. */
const CANCEL_POLL = { times: 40, intervalMs: 250 };

/** The values that OpenAI accepts as `include`. */
const INCLUDE_VALUES = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

const Params = z.record(z.string(), z.unknown());

export const v1 = new Hono<App>();

// Forwarded content is untrusted but comes from our origin.
v1.use(async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  c.res.headers.delete("set-cookie");
  c.res.headers.set("x-content-type-options", "nosniff");
  c.res.headers.set("content-security-policy", "sandbox");
});
v1.use(async (c, next) => {
  if (await hasValidToken(c)) return next();
  const message =
    "Incorrect API key provided. The key of this base URL is the recorder's ACCESS_TOKEN.";
  return respond(c, toOpenAIError(401, message, { code: "invalid_api_key" }));
});

v1.post(
  "/responses",
  bodyLimit({
    maxSize: MAX_CREATE_BYTES,
    onError: (c) => {
      const message = `The body may have at most ${MAX_CREATE_BYTES} bytes.`;
      const { status, error } = toOpenAIError(413, message);
      return c.json({ error }, status);
    },
  }),
  async (c) => {
    const sent = new Uint8Array(await c.req.arrayBuffer());
    const body = requestsBackground(sent)
      ? Params.safeParse(parseJson(decodeChunks([sent]))).data
      : null;
    // OpenAI refuses a body that is not JSON.
    if (body?.["background"] !== true) return respond(c, await forward(c, sent));
    if ((body["stream"] ?? false) !== false) {
      const message =
        "Here background can't be streamed: the recorder holds the stream. Leave stream out, and poll.";
      return respond(c, toOpenAIError(400, message, { param: "stream" }));
    }
    await limitTriggers(c);
    return startHeldRun(c, toHeldRun(c.env, Params.parse(parseJsonBody(sent))));
  },
);

v1.get("/responses/:id", async (c) => {
  const found = await findHeldRun(c);
  if (found === null) return respond(c, await forward(c));
  const invalid = invalidInclude(c);
  if (invalid !== null) return respond(c, invalid);
  if (c.req.query("stream") !== "true") return respondWithRun(c, found);
  const message =
    "This response cannot be streamed because it was not created with background=true.";
  return respond(c, toOpenAIError(400, message, { param: "stream" }));
});

v1.post("/responses/:id/cancel", async (c) => {
  const found = await findHeldRun(c);
  if (found === null) return respond(c, await forward(c));
  const { known } = found;
  if (!isInFlight(known)) return respondWithRun(c, found);
  // OpenAI cancels no foreground run: it ends with its connection.
  if (!known.held_due) return respond(c, await forward(c));
  await stopHolder(c.env, known.holder);
  await reportCancel(c.env, known.id);
  return respondWithRun(c, (await waitForEnd(c)) ?? found);
});

v1.delete("/responses/:id", async (c) => {
  const found = await findHeldRun(c);
  const answer = await forward(c);
  if (found === null || !(answer instanceof Response)) return respond(c, answer);
  if (!answer.ok && answer.status !== 404) return answer;
  await deleteRun(c.env, found.known);
  return c.json({ id: found.known.id, object: "response", deleted: true });
});

v1.all("*", async (c) => respond(c, await forward(c)));

v1.onError((error, c) => {
  if (error instanceof Problem) {
    const { retryAfterSeconds } = error;
    if (retryAfterSeconds !== undefined) c.header("retry-after", String(retryAfterSeconds));
    return respond(c, fromProblem(error));
  }
  logFailure("error", error, { path: c.req.path, stack: error.stack });
  return respond(c, toOpenAIError(500, "The recorder failed. Its log says what happened."));
});

function respond(c: Context<App>, answer: Response | OpenAIError): Response {
  if (answer instanceof Response) return answer;
  return c.json({ error: answer.error }, answer.status);
}

function toHeldRun(env: Env, body: Record<string, unknown>): Holding {
  const include = parseInclude(body);
  const request = {
    ...body,
    ...(include === null ? {} : { include }),
    background: false,
    stream: true,
    store: body["store"] ?? true,
  };
  assertStorable("background", request);
  const values = z.array(z.string()).catch([]).parse(include);
  return {
    request,
    start: {
      at: new Date().toISOString(),
      started_by: "v1",
      policy: readPolicy(env),
      options: {
        include: values,
        replay: false,
        control: false,
        hold: true,
        retention_days: null,
      },
      control: false,
      webhook: null,
    },
  };
}

// The SDK retries a 5xx by itself, and each retry is billed.
async function startHeldRun(c: Context<App>, holding: Holding): Promise<Response> {
  c.header("x-should-retry", "false");
  const begun = await withLog(
    "trigger",
    { by: "v1" },
    () => startHolder(c.env, holding),
    (how) => ({ id: how.kind === "held" ? how.id : null, outcome: how.kind }),
  );
  if (begun.kind === "held") return c.json({ ...objectOf(begun.response), background: true });
  if (begun.kind === "failed") return respond(c, mayHaveStarted(begun.message));
  if (begun.request_id !== null) c.header("x-request-id", begun.request_id);
  if (begun.status >= 500 || begun.status === 408) {
    return respond(c, mayHaveStarted(`it answered ${begun.status}`));
  }
  c.header("x-should-retry", undefined);
  if (begun.retry_after !== null) c.header("retry-after", begun.retry_after);
  if (begun.status === 401 || begun.status === 403) return respond(c, OPENAI_KEY_REFUSED);
  return respond(c, forwardRefusal(begun));
}

function mayHaveStarted(reason: string): OpenAIError {
  const message = `It is not known whether OpenAI started the run: ${reason}. Check /results before retrying: each retry is billed.`;
  return toOpenAIError(502, message, { code: "may_have_started" });
}

const Status = z.custom<OpenAIError["status"]>((status) => typeof status === "number");

function forwardRefusal({ status, error }: Extract<Begun, { kind: "refused" }>): OpenAIError {
  const own = toOpenAIError(Status.parse(status), `OpenAI refused the request with ${status}.`);
  return { ...own, error: Params.safeParse(error).data ?? own.error };
}

// Scans the body without a copy: it can have megabytes.
function requestsBackground(json: Uint8Array): boolean {
  try {
    return parseValue(findMember(json, "background")) === true;
  } catch {
    return false;
  }
}

// Null when the id is not a held run's.
async function findHeldRun(c: Context<App>): Promise<Found | null> {
  const id = c.req.param("id") ?? "";
  if (!RESPONSE_ID.test(id)) return null;
  const found = await findRun(c.env, id);
  return found?.known.held ? found : null;
}

async function waitForEnd(c: Context<App>): Promise<Found | null> {
  for (let attempt = 0; attempt < CANCEL_POLL.times; attempt += 1) {
    const found = await findHeldRun(c);
    if (found === null || !isInFlight(found.known)) return found;
    await sleep(CANCEL_POLL.intervalMs);
  }
  return null;
}

function parseIncludeQuery(c: Context<App>): string[] {
  const params = [...new URL(c.req.url).searchParams];
  return params.flatMap(([name, value]) => (/^include(\[\d*\])?$/.test(name) ? [value] : []));
}

function invalidInclude(c: Context<App>): OpenAIError | null {
  const values = parseIncludeQuery(c);
  const index = values.findIndex((value) => !INCLUDE_VALUES.has(value));
  if (index === -1) return null;
  const supported = [...INCLUDE_VALUES].map((value) => `'${value}'`).join(", ");
  const message = `Invalid value: '${values[index]}'. Supported values are: ${supported}.`;
  return toOpenAIError(400, message, { param: `include[${index}]`, code: "invalid_value" });
}

async function respondWithRun(c: Context<App>, { known, openBody }: Found): Promise<Response> {
  if (isInFlight(known)) return respondInFlight(c, known);
  // Only OpenAI may have a response that was too large to be stored, or never seen.
  const body = await openBody();
  if (body === null) return respond(c, await forward(c));
  const sources = {
    calls: known.calls,
    readOutputs: (channel: Channel) => readRunOutputs(c.env, known.id, channel),
  };
  const response = await new Response(body).bytes();
  const chunks = await toForegroundResponse(response, sources, new Set(parseIncludeQuery(c)));
  return c.body(streamChunks(chunks), 200, { "content-type": "application/json" });
}

async function respondInFlight(c: Context<App>, known: StoredRecord): Promise<Response> {
  const beginning = await beginningOf(c.env, known.holder);
  if (beginning === null) return respond(c, await forward(c));
  return c.json({ ...beginning, background: true });
}

// A refetch can see the end before the connection's outputs are recorded: until then the run counts as in flight, so that clients go on polling.
function isInFlight(known: StoredRecord): boolean {
  return known.verdict === "pending" || known.held_due;
}
