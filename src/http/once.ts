// Creates with an Idempotency-Key: the same key gives the same answer for a day, and one run.
import type { Context } from "hono";
import type { JsonBody } from "../api/json-body.ts";
import { Problem } from "../errors.ts";
import { sleep } from "../lib/retry.ts";
import { sha256OfChunks } from "../lib/sha256.ts";
import {
  answerKey,
  claimKey,
  toIdempotencyKey,
  type IdempotencyKey,
} from "../objects/catalog/client.ts";
import type { ClaimResult, KeyAnswer } from "../objects/catalog/idempotency.ts";
import type { App } from "./middleware/auth.ts";

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** How long a request waits for the answer of the one before it. */
const MAX_WAIT_MS = 30_000;
/** Milliseconds between its calls to the Catalog; the last delay repeats. It waits here, since a call that waits inside the Catalog is billed by time. */
const POLL_MS = [100, 200, 400, 800, 1_500];
const LAST_POLL_MS = 2_000;
/** In a body of this size no text is truncated. */
const MAX_COMPARED_BYTES = 64 * 1024;

type FailedAnswer = Extract<KeyAnswer, { kind: "failed" }>;

/** A run that a request started, or that an earlier request with the same key did. */
export type Once<T> =
  | { kind: "first"; result: T }
  | { kind: "repeated"; id: string; status: string };

/** A create: its body, what tells it apart from other routes' creates with the same body, and how to start it. */
type Create<T> = {
  given: JsonBody;
  scope: string;
  start: () => Promise<T>;
  /** The run that was started; null when none was, so that the key can be used again. */
  toRun: (result: T) => { id: string; status: string } | null;
};

/**
 * Starts a run; with an `Idempotency-Key`, once.
 * @throws Problem 422 when the key came with another body, 409 while the first request with it has no answer, 503 when the Catalog can't be reached.
 */
export async function startOnce<T>(c: Context<App>, create: Create<T>): Promise<Once<T>> {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return { kind: "first", result: await create.start() };
  if (!IDEMPOTENCY_KEY.test(header)) {
    const message = "Idempotency-Key must have 1 to 255 visible ASCII characters.";
    throw new Problem("bad_request", message);
  }
  const comparable = create.scope + (await toComparable(create.given));
  const key = await toIdempotencyKey(header, comparable);
  const claim = await awaitClaim(() => claimOrRefuse(c.env, key));
  if (claim.kind === "answered") return repeatAnswer(claim.answer);
  if (claim.kind !== "claimed") throw toConflict(claim.kind);
  // The answer must be stored even when the caller hangs up.
  const work = startAndAnswer(c.env, create, key);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return { kind: "first", result: await work };
}

// In a small body white space does not count. A large one is compared byte by byte, without a copy of it.
async function toComparable({ json, value }: JsonBody): Promise<string> {
  if (json.byteLength <= MAX_COMPARED_BYTES) return JSON.stringify(value);
  const { digest } = await sha256OfChunks([json]);
  return digest;
}

// Claims again while another request is in progress: that one may release the key.
async function awaitClaim(claim: () => Promise<ClaimResult>): Promise<ClaimResult> {
  const endsAt = Date.now() + MAX_WAIT_MS;
  for (let polls = 0; ; polls += 1) {
    const result = await claim();
    const delay = POLL_MS[polls] ?? LAST_POLL_MS;
    if (result.kind !== "in_progress" || Date.now() + delay > endsAt) return result;
    await sleep(delay);
  }
}

async function claimOrRefuse(env: Env, key: IdempotencyKey): Promise<ClaimResult> {
  try {
    return await claimKey(env, key);
  } catch {
    const message =
      "The Idempotency-Key could not be checked, so nothing was started. Retry with the same key.";
    throw new Problem("idempotency_unavailable", message, { retryAfterSeconds: 5 });
  }
}

async function startAndAnswer<T>(
  env: Env,
  { start, toRun }: Create<T>,
  key: IdempotencyKey,
): Promise<T> {
  try {
    const result = await start();
    const run = toRun(result);
    const answer =
      run === null ? null : { kind: "started" as const, id: run.id, status: run.status };
    await answerQuietly(env, key, answer);
    return result;
  } catch (error) {
    await answerQuietly(env, key, toFailedAnswer(error));
    throw error;
  }
}

// The caller's answer stands in any case. A key without an answer counts as one that may have started a run.
async function answerQuietly(
  env: Env,
  key: IdempotencyKey,
  answer: KeyAnswer | null,
): Promise<void> {
  await answerKey(env, key, answer).catch(() => undefined);
}

// Null when nothing was started.
function toFailedAnswer(error: unknown): FailedAnswer | null {
  if (!(error instanceof Problem)) return OUTCOME_UNKNOWN;
  const { code, message, id = null, requestId: request_id = null } = error;
  if (code !== "may_have_started" && code !== "handover_failed") return null;
  return { kind: "failed", code, message, id, request_id };
}

const OUTCOME_UNKNOWN: FailedAnswer = {
  kind: "failed",
  code: "may_have_started",
  message:
    "The outcome of the first request with this Idempotency-Key is not known: it may have started a run. Use another key to retry; each retry is billed.",
  id: null,
  request_id: null,
};

function repeatAnswer(answer: KeyAnswer): Once<never> {
  if (answer.kind === "started") return { kind: "repeated", id: answer.id, status: answer.status };
  const { code, message, id, request_id } = answer;
  throw new Problem(code, message, { id: id ?? undefined, requestId: request_id ?? undefined });
}

const CONFLICT_MESSAGES = {
  in_progress: "The first request with this Idempotency-Key is still in progress. Retry later.",
  may_have_started: OUTCOME_UNKNOWN.message,
  key_reused: "This Idempotency-Key came with another body before. Use another key.",
};

function toConflict(code: keyof typeof CONFLICT_MESSAGES): Problem {
  const status = code === "may_have_started" ? 409 : undefined;
  return new Problem(code, CONFLICT_MESSAGES[code], { status });
}
