// Triggers with an Idempotency-Key: the same key gives the same answer for a day, and one run.
import type { Context } from "hono";
import type { TriggerResult } from "../../api/schemas.ts";
import type { JsonBody } from "../../api/json-body.ts";
import { Problem } from "../../errors.ts";
import { sleep } from "../../lib/retry.ts";
import { sha256OfChunks } from "../../lib/sha256.ts";
import {
  answerKey,
  claimKey,
  toIdempotencyKey,
  type IdempotencyKey,
} from "../../objects/catalog/client.ts";
import type { ClaimResult, KeyAnswer } from "../../objects/catalog/idempotency.ts";
import type { App } from "../middleware/auth.ts";
import { startTrigger } from "./trigger.ts";

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** How long a request waits for the answer of the one before it. */
const MAX_WAIT_MS = 30_000;
/** Milliseconds between its calls to the Catalog; the last delay repeats. It waits here, since a call that waits inside the Catalog is billed by time. */
const POLL_MS = [100, 200, 400, 800, 1_500];
const LAST_POLL_MS = 2_000;
/** In a body of this size no text is truncated. */
const MAX_COMPARED_BYTES = 64 * 1024;

type FailedAnswer = Extract<KeyAnswer, { kind: "failed" }>;

/**
 * Starts what a caller asked for; with an `Idempotency-Key`, once.
 * @param given The request's body.
 * @throws Problem 422 when the key came with another body, 409 while the first request with it has no answer, 503 when the Catalog can't be reached.
 */
export async function triggerOnce(c: Context<App>, given: JsonBody): Promise<TriggerResult> {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return startTrigger(c, given);
  if (!IDEMPOTENCY_KEY.test(header)) {
    const message = "Idempotency-Key must have 1 to 255 visible ASCII characters.";
    throw new Problem("bad_request", message);
  }
  const key = await toIdempotencyKey(header, await toComparable(given));
  const claim = await awaitClaim(() => claimOrRefuse(c.env, key));
  if (claim.kind === "answered") return repeatAnswer(c, claim.answer);
  if (claim.kind !== "claimed") throw toConflict(claim.kind);
  // The answer must be stored even when the caller hangs up.
  const work = startAndAnswer(c, given, key);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
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

async function startAndAnswer(
  c: Context<App>,
  given: JsonBody,
  key: IdempotencyKey,
): Promise<TriggerResult> {
  try {
    const result = await startTrigger(c, given);
    await answerQuietly(c.env, key, { kind: "started", id: result.id, status: result.status });
    return result;
  } catch (error) {
    await answerQuietly(c.env, key, toFailedAnswer(error));
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
    "The outcome of the first request with this Idempotency-Key is not known. Check /results, and use another key to retry.",
  id: null,
  request_id: null,
};

function repeatAnswer(c: Context<App>, answer: KeyAnswer): TriggerResult {
  const { id } = answer;
  if (answer.kind === "started") {
    const result_url = new URL(`/results/${answer.id}`, c.req.url).href;
    return { id: answer.id, status: answer.status, result_url };
  }
  const { code, message, request_id } = answer;
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
