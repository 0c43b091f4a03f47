// OpenAI's API for unchanged SDK code. A run with `background: true` is held, so that its outputs are there; everything else is forwarded.
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { parseJsonBody } from "../../api/json-body.ts";
import { toRepresentation } from "../../api/representation.ts";
import { toShownResponse } from "../../api/shown-response.ts";
import { Problem } from "../../errors.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { memberMap, parseValue } from "../../lib/json-scan.ts";
import { sleep } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import { closeConnection } from "../../objects/connection/client.ts";
import {
  findRun,
  readRunOutputs,
  removeRun,
  reportCancel,
  type Found,
} from "../../objects/recorder/client.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";
import { hasValidToken, type App } from "../middleware/auth.ts";
import { limitTriggers } from "../middleware/rate-limit.ts";
import { fromProblem, toOpenAIError, type OpenAIError } from "./errors.ts";
import { isInFlight } from "./ended-response.ts";
import { startConnectedRun } from "./held-create.ts";
import { forward } from "./proxy.ts";
import { showProgress } from "./progress.ts";
import { streamRecorded } from "./stream-run.ts";

/** Inputs can contain images. */
const MAX_CREATE_BYTES = 25 * 1024 * 1024;
/** How often, and at which intervals in milliseconds, a cancelled run is asked whether it has ended. */
const CANCEL_POLL = { times: 40, intervalMs: 250 };
/** Milliseconds in which a followed stream may bring the end of the run that was cancelled. */
const LAST_EVENT_MS = 2_000;

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

/** Headers of OpenAI's that would act on this origin, or that tell whose key it is. */
const FORBIDDEN_HEADERS = [
  "set-cookie",
  "clear-site-data",
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  "openai-organization",
  "openai-project",
];

const Params = z.record(z.string(), z.unknown());

export const v1 = new Hono<App>();

// Forwarded content is untrusted but comes from our origin.
v1.use(async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  for (const name of FORBIDDEN_HEADERS) c.res.headers.delete(name);
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
    const { stream = null } = Params.parse(given.value);
    if (stream !== null && typeof stream !== "boolean") {
      return respond(c, await forward(c, new Uint8Array(sent)));
    }
    await limitTriggers(c);
    return respond(c, await startConnectedRun(c, given, "held"));
  },
);

v1.get("/responses/:id", async (c) => {
  const found = await findConnectedRun(c);
  if (found === null) return respond(c, await forward(c));
  const invalid = invalidInclude(c);
  if (invalid !== null) return respond(c, invalid);
  if (c.req.query("stream") === "true")
    return respond(c, streamRecorded(c, found.known, parseIncludeQuery(c)));
  if (found.known.held || isInFlight(found.known)) return respondWithRun(c, found);
  return respond(c, await forward(c));
});

v1.post("/responses/:id/cancel", async (c) => {
  const found = await findConnectedRun(c);
  if (found === null) return respond(c, await forward(c));
  const { known } = found;
  if (!known.held) return respond(c, await cancelFollowed(c, known));
  if (!isInFlight(known)) return respondWithRun(c, found);
  // OpenAI cancels no foreground run: it ends with its connection.
  if (!known.connection_due || known.connection === null) return respond(c, await forward(c));
  await closeConnection(c.env, known.connection.id);
  await reportCancel(c.env, known.id);
  return respondWithRun(c, (await waitForEnd(c)) ?? found);
});

v1.delete("/responses/:id", async (c) => {
  const found = await findConnectedRun(c);
  const answer = await forward(c);
  if (!found?.known.held || !(answer instanceof Response)) return respond(c, answer);
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

// Null when no Connection reads, or has read, the stream of this response.
async function findConnectedRun(c: Context<App>): Promise<Found | null> {
  const id = c.req.param("id") ?? "";
  if (!RESPONSE_ID.test(id)) return null;
  const found = await findRun(c.env, id);
  return found?.known.connection ? found : null;
}

// The stream of a cancelled run has no last event, so its Connection would take it up again.
async function cancelFollowed(
  c: Context<App>,
  { id, connection }: StoredRecord,
): Promise<Response | OpenAIError> {
  const answer = await forward(c);
  if (!(answer instanceof Response) || !answer.ok || connection === null) return answer;
  await reportCancel(c.env, id);
  c.executionCtx.waitUntil(closeConnection(c.env, connection.id, LAST_EVENT_MS));
  return answer;
}

async function waitForEnd(c: Context<App>): Promise<Found | null> {
  for (let attempt = 0; attempt < CANCEL_POLL.times; attempt += 1) {
    const found = await findConnectedRun(c);
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
  const include = new Set(parseIncludeQuery(c));
  if (isInFlight(known))
    return respond(c, (await showProgress(c, known, include)) ?? (await forward(c)));
  // Only OpenAI may have a response that was too large to be stored, or never seen.
  const body = await openBody();
  if (body === null) return respond(c, await forward(c));
  const readOutputs = (channel: Channel) => readRunOutputs(c.env, known.id, channel);
  const { response, items } = await toRepresentation(known, body, readOutputs);
  if (response === null) return respond(c, await forward(c));
  const chunks = toShownResponse(response, { items, include, changes: { background: true } });
  return c.body(streamChunks(chunks), 200, { "content-type": "application/json" });
}
