// OpenAI's API for unchanged SDK code. A run with `background: true` is held, so that its outputs are there; everything else is forwarded.
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { parseJsonBody } from "../../api/json-body.ts";
import { toRepresentation } from "../../api/representation.ts";
import { Problem } from "../../errors.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { memberMap, parseValue } from "../../lib/json-scan.ts";
import { sleep } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import { closeConnection, readFirstResponse } from "../../objects/connection/client.ts";
import {
  findRun,
  readRunOutputs,
  removeRun,
  reportCancel,
  type Found,
} from "../../objects/recorder/client.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";
import { givenUpVerdict } from "../../record/verdict.ts";
import { hasValidToken, type App } from "../middleware/auth.ts";
import { limitTriggers } from "../middleware/rate-limit.ts";
import { fromProblem, toOpenAIError, type OpenAIError } from "./errors.ts";
import { toFailedResponse } from "./failed-response.ts";
import { toForegroundResponse } from "./foreground-response.ts";
import { startHeldRun, toBackground } from "./held-create.ts";
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

/** Headers of OpenAI's, or of the servers before it, that would act on this origin, or that tell whose key it is. */
const FORBIDDEN_HEADER =
  /^(set-cookie2?|clear-site-data|access-control-.*|openai-(organization|project)|cross-origin-.*|service-worker-allowed|refresh|link|alt-svc|strict-transport-security|nel|report-to|reporting-endpoints|content-security-policy-report-only)$/;

const Params = z.record(z.string(), z.unknown());

export const v1 = new Hono<App>();

// Forwarded content is untrusted but comes from our origin.
v1.use(async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  const names = Array.from(c.res.headers.keys());
  for (const name of names) if (FORBIDDEN_HEADER.test(name)) c.res.headers.delete(name);
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
      const message = `The recorder takes at most ${MAX_CREATE_BYTES} bytes. Upload files, and name them by their ids.`;
      const { status, error } = toOpenAIError(413, message);
      return c.json({ error }, status);
    },
  }),
  async (c) => {
    const sent = await c.req.arrayBuffer();
    // OpenAI refuses a body that is not JSON.
    if (!requestsBackground(new Uint8Array(sent))) {
      return respond(c, await forward(c, new Uint8Array(sent)));
    }
    const given = parseJsonBody(sent);
    if ((Params.parse(given.value)["stream"] ?? false) !== false) {
      const message =
        "Here background can't be streamed: the recorder holds the stream. Leave stream out, and poll.";
      return respond(c, toOpenAIError(400, message, { param: "stream" }));
    }
    await limitTriggers(c);
    return respond(c, await startHeldRun(c, given));
  },
);

v1.get("/responses/:id", async (c) => {
  const found = await findRecordedRun(c);
  if (found === null || !isAnsweredHere(found.known)) return respond(c, await forward(c));
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
  if (!known.connection_due || known.connection === null) return respond(c, await forward(c));
  await closeConnection(c.env, known.connection.id);
  await reportCancel(c.env, known.id);
  return respondWithRun(c, (await waitForEnd(c)) ?? found);
});

v1.delete("/responses/:id", async (c) => {
  const found = await findHeldRun(c);
  const answer = await forward(c);
  if (found === null || !(answer instanceof Response)) return respond(c, answer);
  if (!answer.ok && answer.status !== 404) return answer;
  await removeRun(c.env, found.known.id);
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

// Scans the body without a copy: it can have megabytes. Of two members with the same name the last one counts.
function requestsBackground(json: Uint8Array): boolean {
  try {
    return parseValue(memberMap(json).get("background")) === true;
  } catch {
    return false;
  }
}

async function findRecordedRun(c: Context<App>): Promise<Found | null> {
  const id = c.req.param("id") ?? "";
  return RESPONSE_ID.test(id) ? findRun(c.env, id) : null;
}

// A run that was given up has ended for those who poll it, whether or not it was held.
function isAnsweredHere(known: StoredRecord): boolean {
  return known.held !== null || givenUpVerdict(known) !== null;
}

// Null when the id is not a held run's.
async function findHeldRun(c: Context<App>): Promise<Found | null> {
  const found = await findRecordedRun(c);
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
  const readOutputs = (channel: Channel) => readRunOutputs(c.env, known.id, channel);
  const include = new Set(parseIncludeQuery(c));
  const givenUp = givenUpVerdict(known);
  if (givenUp !== null) {
    const first = await readFirst(c, known);
    const shown = first === null ? null : toBackground(first);
    return respondJson(c, await toFailedResponse(known, givenUp, shown, readOutputs, include));
  }
  // Only OpenAI may have a response that was too large to be stored, or never seen.
  const body = await openBody();
  if (body === null) return respond(c, await forward(c));
  const { response, items } = await toRepresentation(known, body, readOutputs);
  if (response === null) return respond(c, await forward(c));
  return respondJson(c, toForegroundResponse(response, items, include));
}

function respondJson(c: Context<App>, chunks: Uint8Array[]): Response {
  return c.body(streamChunks(chunks), 200, { "content-type": "application/json" });
}

// The Connection keeps it for a day.
async function readFirst(c: Context<App>, { connection }: StoredRecord) {
  return connection === null ? null : readFirstResponse(c.env, connection.id);
}

async function respondInFlight(c: Context<App>, known: StoredRecord): Promise<Response> {
  const first = await readFirst(c, known);
  return first === null ? respond(c, await forward(c)) : c.json(toBackground(first));
}

// A refetch can see the end before the connection's outputs are recorded: until then the run counts as in flight, so that clients go on polling.
function isInFlight(known: StoredRecord): boolean {
  return known.verdict === "pending" || known.connection_due;
}
