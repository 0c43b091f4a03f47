// Starts a background response and hands it to its Recorder.
import type { Context } from "hono";
import { APIError } from "openai";
import { z } from "zod";
import { OPENAI_MODEL, setting } from "../config.ts";
import { Problem } from "../errors.ts";
import { startRecorder } from "../instance.ts";
import { LARGEST_REQUEST, whyNotTwice } from "../control.ts";
import {
  askable,
  create,
  createStreamed,
  EXAMPLE,
  messageOf,
  METADATA_KEY,
  OUTPUTS,
} from "../openai.ts";
import type { Intent, Start } from "../record.ts";
import { hasCredentials, redact } from "../redact.ts";
import { refusedByOpenAI } from "../refusal.ts";
import { RESPONSE_ID } from "./id.ts";
import type { App } from "./session.ts";

/** Flags of the contract that are not built yet. */
const LATER = ["hold"];
/** OpenAI takes 16 pairs; one carries what the recorder must not forget. */
const MOST_PAIRS = 15;

/** Days; the setting RETENTION_DAYS has the same bound. */
const LONGEST_RETENTION = 3_650;

/** The recorder's own flags beside the create parameters. */
export const Flags = z.object({
  control: z.boolean().optional(),
  replay: z.boolean().optional(),
  hold: z.boolean().optional(),
  retention_days: z.int().min(1).max(LONGEST_RETENTION).optional(),
});

/** What a flag must be. */
const MUST: Record<string, string> = {
  retention_days: `a whole number of days from 1 to ${LONGEST_RETENTION}`,
};

const Body = z.record(z.string(), z.unknown());
const Pairs = z.record(z.string(), z.string());

const Created = z.looseObject({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  model: z.string().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  created_at: z.number().nullish(),
});
type CreatedResponse = z.infer<typeof Created>;

const StreamEvent = z.looseObject({ type: z.string(), response: z.unknown().optional() });
/** Events after which a response may still be waiting for its turn. */
const WAITING = new Set(["response.created", "response.queued"]);

/** A request as it goes to OpenAI, and what must outlive it. */
export type Prepared = { request: Record<string, unknown>; intent: Intent };

/** The answer to a trigger. */
export const Started = z.object({
  id: z.string().regex(RESPONSE_ID),
  status: z.string(),
  result_url: z.url(),
});

export type Started = z.infer<typeof Started>;

/**
 * Starts what a caller asked for.
 * @param c The request's context.
 * @param asked Responses create parameters and the recorder's flags.
 * @returns The id, as soon as the Recorder has it.
 */
export async function trigger(c: Context<App>, asked: unknown): Promise<Started> {
  const prepared = prepare(c.env, asked);
  // Both finish even when the caller hangs up: a response that runs must be recorded.
  const work = start(c, prepared);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  const created = await work;
  const url = new URL(`/results/${created.id}`, c.req.url);
  return { id: created.id, status: created.status, result_url: url.href };
}

/**
 * The request as it goes to OpenAI.
 * @param env The Worker's environment.
 * @param asked What the caller sent.
 * @throws Problem 400 that says what to change.
 */
export function prepare(env: Env, asked: unknown): Prepared {
  const body = Body.safeParse(asked);
  if (!body.success)
    throw refused("The body must be a JSON object of Responses create parameters.");
  const { control, replay, hold, retention_days, ...parameters } = body.data;
  const flags = checkFlags({ control, replay, hold, retention_days });
  checkParameters(parameters);
  const example = Object.keys(parameters).length === 0 ? EXAMPLE : {};
  const request = { model: setting(env, OPENAI_MODEL), ...example, ...parameters };
  const include = includeOf(request);
  const intent = {
    include: include?.filter(isText) ?? [],
    replay: replay === true,
    control: control === true,
    retention_days: flags.retention_days ?? null,
  };
  const prepared: Prepared = {
    intent,
    request: {
      ...request,
      ...(include === null ? {} : { include }),
      metadata: { ...pairsOf(parameters["metadata"]), [METADATA_KEY]: intentText(intent) },
      background: true,
      store: true,
      ...(intent.replay ? { stream: true } : {}),
    },
  };
  if (intent.control) checkControl(prepared.request);
  return prepared;
}

function checkControl(request: Record<string, unknown>): void {
  const why = whyNotTwice(request);
  if (why !== null)
    throw refused(`control can't run this request a second time: ${why}. Leave control out.`);
  if (hasCredentials(request)) {
    throw refused(
      "control can't run a request that carries credentials: they would be kept with the run. Leave control out.",
    );
  }
  if (new TextEncoder().encode(JSON.stringify(request)).byteLength <= LARGEST_REQUEST) return;
  throw new Problem(
    413,
    "too_large",
    `With control a request may have at most ${LARGEST_REQUEST} bytes. Leave control out.`,
  );
}

function checkFlags(given: Record<string, unknown>): z.infer<typeof Flags> {
  const flags = Flags.safeParse(given);
  if (!flags.success) {
    const name = String(flags.error.issues[0]?.path[0]);
    throw refused(`${name} must be ${MUST[name] ?? "true or false"}.`);
  }
  const later = LATER.find((name) => given[name] === true);
  if (later !== undefined) throw refused(`${later} is not built yet. Leave it out.`);
  return flags.data;
}

function checkParameters(parameters: Record<string, unknown>): void {
  if (parameters["background"] === false) {
    throw refused(
      "background: false can't be recorded: its answer comes back at once. Leave it out.",
    );
  }
  if (parameters["store"] === false) {
    throw refused(
      "store: false would let OpenAI delete the response before it is fetched. Leave it out.",
    );
  }
  if ("stream" in parameters) {
    throw refused("stream is not for a background response that a webhook ends. Leave it out.");
  }
}

function includeOf(request: Record<string, unknown>): unknown[] | null {
  const given = request["include"];
  if (given !== undefined && !Array.isArray(given)) throw refused("include must be a list.");
  const wanted: unknown[] = given ?? [];
  if (!usesInterpreter(request["tools"])) return given === undefined ? null : wanted;
  return wanted.includes(OUTPUTS) ? wanted : [...wanted, OUTPUTS];
}

function usesInterpreter(tools: unknown): boolean {
  const Tool = z.array(z.looseObject({ type: z.string() }).catch({ type: "" }));
  const parsed = Tool.safeParse(tools);
  return parsed.success && parsed.data.some((tool) => tool.type === "code_interpreter");
}

function pairsOf(metadata: unknown): Record<string, string> {
  const pairs = Pairs.safeParse(metadata ?? {});
  if (!pairs.success) throw refused("metadata must be an object whose values are strings.");
  const { [METADATA_KEY]: _, ...own } = pairs.data;
  if (Object.keys(own).length > MOST_PAIRS) {
    throw refused(
      `metadata takes ${MOST_PAIRS} pairs here: the 16th is the recorder's own, ${METADATA_KEY}.`,
    );
  }
  return own;
}

// At most 512 characters, so only what can be asked for again.
function intentText(intent: Intent): string {
  return JSON.stringify({ ...intent, include: askable(intent.include) });
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function refused(message: string): Problem {
  return new Problem(400, "bad_request", message);
}

async function start(c: Context<App>, prepared: Prepared): Promise<CreatedResponse> {
  const at = new Date().toISOString();
  const { request, intent } = prepared;
  const created = intent.replay
    ? await createReplayable(c, request)
    : await createOnce(c.env, request);
  const createdAt = created.created_at ? created.created_at * 1000 : at;
  const params: Start = {
    id: created.id,
    at,
    started_by: "trigger",
    strangers: true,
    intent,
    request: intent.control ? null : redact(request),
    control: intent.control ? request : null,
    created: {
      status: created.status,
      model: created.model ?? null,
      background: created.background ?? null,
      store: created.store ?? null,
      created_at: new Date(createdAt).toISOString(),
    },
    webhook: null,
    action: null,
  };
  await handOver(c.env, params);
  return created;
}

async function createOnce(env: Env, request: Record<string, unknown>): Promise<CreatedResponse> {
  try {
    return parseCreated(await create(env, request));
  } catch (error) {
    throw ofCreate(error);
  }
}

// A response whose connection ends at the very first event can stay queued for ever (https://community.openai.com/t/1382584), so it is
// read on until it is in progress, after the caller has its answer.
async function createReplayable(
  c: Context<App>,
  request: Record<string, unknown>,
): Promise<CreatedResponse> {
  const connection = new AbortController();
  try {
    const { events } = await createStreamed(c.env, request, connection.signal);
    const iterator = events[Symbol.asyncIterator]();
    const created = parseCreated((await firstResponse(iterator)) ?? null);
    c.executionCtx.waitUntil(readOn(iterator, connection));
    return created;
  } catch (error) {
    connection.abort();
    throw ofCreate(error);
  }
}

async function firstResponse(events: AsyncIterator<unknown>): Promise<unknown> {
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const event = StreamEvent.safeParse(next.value);
    if (event.success && event.data.response !== undefined) return event.data.response;
  }
  return undefined;
}

async function readOn(events: AsyncIterator<unknown>, connection: AbortController): Promise<void> {
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      const event = StreamEvent.safeParse(next.value);
      if (event.success && !WAITING.has(event.data.type)) break;
    }
  } catch (error) {
    console.warn(JSON.stringify({ event: "stream_cut", error: String(error) }));
  }
  connection.abort();
}

function parseCreated(answer: unknown): CreatedResponse {
  const created = Created.safeParse(answer);
  if (!created.success) throw new TypeError("OpenAI's answer was not a response object.");
  return created.data;
}

function ofCreate(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof APIError && error.status !== undefined && error.status < 500)
    return refusedByOpenAI(error);
  return mayHaveStarted(messageOf(error), error instanceof APIError ? error.requestID : undefined);
}

function mayHaveStarted(why: string, requestId?: string | null): Problem {
  const message = `It is not known whether the response was started: ${why} If it was, OpenAI's webhook will still have it recorded. Look at /results before trying again: each try is billed.`;
  return new Problem(502, "may_have_started", message, { requestId: requestId ?? undefined });
}

async function handOver(env: Env, params: Start): Promise<void> {
  for (const gap of [200, 1_000, null]) {
    try {
      return await startRecorder(env, params);
    } catch (error) {
      console.error(
        JSON.stringify({ event: "hand_over_failed", id: params.id, error: String(error) }),
      );
      if (gap === null) break;
      await scheduler.wait(gap);
    }
  }
  throw new Problem(
    503,
    "not_handed_over",
    `The response ${params.id} runs at OpenAI, but its Recorder could not be started. OpenAI's webhook will start it; don't trigger again.`,
    { id: params.id },
  );
}
