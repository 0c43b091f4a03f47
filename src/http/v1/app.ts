// OpenAI's API for unchanged SDK code: with `background: true` a run is held, so that its outputs are there. The rest is passed on.
import { Hono, type Context } from "hono";
import * as z from "zod";
import { bodyLimit } from "hono/body-limit";
import { streamOf, textOf } from "../../lib/json-stream.ts";
import { rulesOf } from "../../config.ts";
import { RESPONSE_ID } from "../../openai/created-response.ts";
import { Problem } from "../../errors.ts";
import { parseJson } from "../../openai/response.ts";
import { recordOf, type Found } from "../../workflows/found.ts";
import type { Begun, Holding } from "../../workflows/holder.ts";
import { readJson } from "../../api/json-body.ts";
import { countTrigger } from "../middleware/rate-limit.ts";
import { beginningOf, objectOf, startHolder, stopHolder } from "../../workflows/holding.ts";
import { memberOf, valueOf } from "../../lib/json-scan.ts";
import { askRecorder, wakeRecorder } from "../../workflows/instance.ts";
import { logFailure, logged } from "../../log.ts";
import type { Channel, Known } from "../../record/schema.ts";
import { checkKeepable, includeOf } from "../../api/create-params.ts";
import { forgetRun } from "../routes/results.ts";
import { showsToken, type App } from "../middleware/auth.ts";
import { isStored, readOutputs } from "../../storage/kv.ts";
import { ofProblem, refusal, UNAUTHORIZED, type Refusal } from "./errors.ts";
import { foreground } from "./foreground-response.ts";
import { passOn } from "./proxy.ts";

/** Bytes of a create's body. */
const LARGEST_CREATE = 25 * 1024 * 1024;
/** How often, and after how many milliseconds, a cancelled run is asked whether it has ended. */
const ASKS = { times: 40, gap: 250 };

/** What OpenAI takes as `include`. */
const INCLUDABLE = new Set([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

const Body = z.record(z.string(), z.unknown());

export const v1 = new Hono<App>();

// What comes from OpenAI could be anything, and it comes from this site's own address.
v1.use(async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  c.res.headers.delete("set-cookie");
  c.res.headers.set("x-content-type-options", "nosniff");
  c.res.headers.set("content-security-policy", "sandbox");
});
v1.use(async (c, next) => {
  if (await showsToken(c)) return next();
  const message =
    "Incorrect API key provided. The key of this base URL is the recorder's ACCESS_TOKEN.";
  return say(c, refusal(401, message, { code: "invalid_api_key" }));
});

v1.post(
  "/responses",
  bodyLimit({
    maxSize: LARGEST_CREATE,
    onError: (c) => {
      const { status, error } = refusal(413, `The body may have at most ${LARGEST_CREATE} bytes.`);
      return c.json({ error }, status);
    },
  }),
  async (c) => {
    const sent = new Uint8Array(await c.req.arrayBuffer());
    const body = asksForBackground(sent) ? Body.safeParse(parseJson(textOf([sent]))).data : null;
    // What is no JSON at all is OpenAI's to refuse.
    if (body?.["background"] !== true) return say(c, await passOn(c, sent));
    if ((body["stream"] ?? false) !== false) {
      const message =
        "Here background can't be streamed: the recorder holds the stream. Leave stream out, and poll.";
      return say(c, refusal(400, message, { param: "stream" }));
    }
    await countTrigger(c);
    return hold(c, holdingOf(c.env, Body.parse(readJson(sent))));
  },
);

v1.get("/responses/:id", async (c) => {
  const found = await heldRun(c);
  if (found === null) return say(c, await passOn(c));
  const wrong = wrongInclude(c);
  if (wrong !== null) return say(c, wrong);
  if (c.req.query("stream") !== "true") return show(c, found);
  const message =
    "This response cannot be streamed because it was not created with background=true.";
  return say(c, refusal(400, message, { param: "stream" }));
});

v1.post("/responses/:id/cancel", async (c) => {
  const found = await heldRun(c);
  if (found === null) return say(c, await passOn(c));
  const { known } = found;
  if (!isInFlight(known)) return show(c, found);
  // OpenAI cancels no run in the foreground; it ends with its connection.
  if (!known.held_due) return say(c, await passOn(c));
  await stopHolder(c.env, known.holder);
  await wakeRecorder(c.env, known.id, { kind: "look" });
  return show(c, (await ended(c)) ?? found);
});

v1.delete("/responses/:id", async (c) => {
  const found = await heldRun(c);
  const answer = await passOn(c);
  if (found === null || !(answer instanceof Response)) return say(c, answer);
  if (!answer.ok && answer.status !== 404) return answer;
  await forgetRun(c.env, found.known);
  return c.json({ id: found.known.id, object: "response", deleted: true });
});

v1.all("*", async (c) => say(c, await passOn(c)));

v1.onError((error, c) => {
  if (error instanceof Problem) {
    if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
    return say(c, ofProblem(error));
  }
  logFailure("error", error, { path: c.req.path, stack: error.stack });
  return say(c, refusal(500, "The recorder failed. Its log says what happened."));
});

function say(c: Context<App>, answer: Response | Refusal): Response {
  if (answer instanceof Response) return answer;
  return c.json({ error: answer.error }, answer.status);
}

function holdingOf(env: Env, body: Record<string, unknown>): Holding {
  const include = includeOf(body);
  const request = {
    ...body,
    ...(include === null ? {} : { include }),
    background: false,
    stream: true,
    store: body["store"] ?? true,
  };
  checkKeepable("background", request);
  const wanted = z.array(z.string()).catch([]).parse(include);
  return {
    request,
    start: {
      at: new Date().toISOString(),
      started_by: "v1",
      rules: rulesOf(env),
      intent: { include: wanted, replay: false, control: false, hold: true, retention_days: null },
      control: null,
      webhook: null,
      action: null,
    },
  };
}

// The SDK tries a 5xx again by itself, and each try is billed.
async function hold(c: Context<App>, holding: Holding): Promise<Response> {
  c.header("x-should-retry", "false");
  const begun = await logged(
    "trigger",
    { by: "v1" },
    () => startHolder(c.env, holding),
    (how) => ({ id: how.kind === "held" ? how.id : null, outcome: how.kind }),
  );
  if (begun.kind === "held") return c.json({ ...objectOf(begun.response), background: true });
  if (begun.kind === "failed") {
    const [status, code] = begun.late ? ([503, "not_begun"] as const) : STARTED;
    return say(c, unclear(status, code, begun.message));
  }
  if (begun.request_id !== null) c.header("x-request-id", begun.request_id);
  if (begun.status >= 500 || begun.status === 408)
    return say(c, unclear(...STARTED, `it answered ${begun.status}`));
  c.header("x-should-retry", undefined);
  if (begun.retry_after !== null) c.header("retry-after", begun.retry_after);
  if (begun.status === 401 || begun.status === 403) return say(c, UNAUTHORIZED);
  return say(c, refused(begun));
}

const STARTED = [502, "may_have_started"] as const;

function unclear(status: 502 | 503, code: string, why: string): Refusal {
  const message = `OpenAI did not begin: ${why}. It may have started all the same: look at /results before trying again, each try is billed.`;
  return refusal(status, message, { code });
}

const Status = z.custom<Refusal["status"]>((status) => typeof status === "number");

function refused({ status, error }: Extract<Begun, { kind: "refused" }>): Refusal {
  const own = refusal(Status.parse(status), `OpenAI refused the request with ${status}.`);
  return { ...own, error: Body.safeParse(error).data ?? own.error };
}

// A look that needs no copy of a body of megabytes.
function asksForBackground(json: Uint8Array): boolean {
  try {
    return valueOf(memberOf(json, "background")) === true;
  } catch {
    return false;
  }
}

// Null for what isn't a held run's id. Whether a record is there is looked up in the list of keys: a miss that is read is remembered.
async function heldRun(c: Context<App>): Promise<Found | null> {
  const id = c.req.param("id") ?? "";
  if (!RESPONSE_ID.test(id)) return null;
  const asked = await askRecorder(c.env, id);
  if (asked.state === "unknown" && !(await isStored(c.env, id))) return null;
  const found = await recordOf(c.env, id, asked);
  return found?.known.held ? found : null;
}

async function ended(c: Context<App>): Promise<Found | null> {
  for (let asked = 0; asked < ASKS.times; asked += 1) {
    const found = await heldRun(c);
    if (found === null || !isInFlight(found.known)) return found;
    await scheduler.wait(ASKS.gap);
  }
  return null;
}

function included(c: Context<App>): string[] {
  const asked = [...new URL(c.req.url).searchParams];
  return asked.flatMap(([name, value]) => (/^include(\[\d*\])?$/.test(name) ? [value] : []));
}

function wrongInclude(c: Context<App>): Refusal | null {
  const asked = included(c);
  const index = asked.findIndex((value) => !INCLUDABLE.has(value));
  if (index === -1) return null;
  const message = `Invalid value: '${asked[index]}'. Supported values are: ${[...INCLUDABLE].map((value) => `'${value}'`).join(", ")}.`;
  return refusal(400, message, { param: `include[${index}]`, code: "invalid_value" });
}

async function show(c: Context<App>, { known, body }: Found): Promise<Response> {
  if (isInFlight(known)) return inFlight(c, known);
  // What was too large to be kept, or never seen, only OpenAI may have.
  if (body === null || known.body === null) return say(c, await passOn(c));
  const read = (channel: Channel) => readOutputs(c.env, known.id, channel);
  const response = await new Response(body).bytes();
  const pieces = await foreground(response, { calls: known.calls, read }, new Set(included(c)));
  return c.body(streamOf(pieces), 200, { "content-type": "application/json" });
}

async function inFlight(c: Context<App>, known: Known): Promise<Response> {
  const beginning = await beginningOf(c.env, known.holder);
  if (beginning === null) return say(c, await passOn(c));
  return c.json({ ...beginning, background: true });
}

// A look beside can see the end first, without what the connection brings: whoever polls would stop too early.
function isInFlight(known: Known): boolean {
  return known.verdict === "pending" || known.held_due;
}
