// Triggers with an Idempotency-Key: the same key gives the same answer for a day, and one run.
import type { Context } from "hono";
import type { TriggerResult } from "../../api/schemas.ts";
import { Problem, type ErrorCode } from "../../errors.ts";
import { takeTurn, type Answer, type Turn } from "../../workflows/once.ts";
import type { App } from "../middleware/auth.ts";
import { startTrigger } from "./trigger.ts";

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
/** Failures after which a response may be running: the same key gets the same failure. */
const FINAL_FAILURES = ["may_have_started", "handover_failed"] as const;

type FailedAnswer = Extract<Answer, { kind: "failed" }>;

/**
 * Starts what a caller asked for; with an `Idempotency-Key`, once.
 * @param body The request's body.
 * @throws Problem 422 when the key came with another body, 409 while the first request with it has no answer.
 */
export async function triggerOnce(c: Context<App>, body: unknown): Promise<TriggerResult> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return startTrigger(c, body);
  if (!IDEMPOTENCY_KEY.test(key)) {
    const message = "Idempotency-Key must have 1 to 255 visible ASCII characters.";
    throw new Problem("bad_request", message);
  }
  const turn = await takeTurn(c.env, key, JSON.stringify(body));
  if (turn.kind !== "ours") return repeatAnswer(c, turn);
  // The answer must be reported even when the caller hangs up.
  const work = startAndReport(c, body, turn);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}

async function startAndReport(
  c: Context<App>,
  body: unknown,
  turn: Extract<Turn, { kind: "ours" }>,
): Promise<TriggerResult> {
  try {
    const result = await startTrigger(c, body);
    await turn.tell({ kind: "started", id: result.id, status: result.status });
    return result;
  } catch (error) {
    await turn.tell(toFailedAnswer(error));
    throw error;
  }
}

function toFailedAnswer(error: unknown): Answer {
  if (!(error instanceof Problem)) return OUTCOME_UNKNOWN;
  const { status, code, message, id = null, requestId: request_id = null } = error;
  if (toFinalCode(code) === undefined) return { kind: "free" };
  return { kind: "failed", status, code, message, id, request_id };
}

function toFinalCode(code: string): (typeof FINAL_FAILURES)[number] | undefined {
  return FINAL_FAILURES.find((known) => known === code);
}

const OUTCOME_UNKNOWN: FailedAnswer = {
  kind: "failed",
  status: 502,
  code: "may_have_started",
  message:
    "The outcome of the first request with this Idempotency-Key is not known. Check /results, and use another key to retry.",
  id: null,
  request_id: null,
};

const CONFLICTS = {
  busy: {
    code: "in_progress",
    message: "The first request with this Idempotency-Key is still in progress. Retry later.",
  },
  other: {
    code: "key_reused",
    message: "This Idempotency-Key came with another body before. Use another key.",
  },
  worn: {
    code: "idempotency_unavailable",
    message: "This Idempotency-Key has failed too often today. Use another key.",
  },
} as const satisfies Record<string, { code: ErrorCode; message: string }>;

function repeatAnswer(c: Context<App>, turn: Exclude<Turn, { kind: "ours" }>): TriggerResult {
  if (turn.kind !== "theirs") throw toConflict(turn.kind);
  const answer = turn.answer === "unknown" ? OUTCOME_UNKNOWN : turn.answer;
  if (answer.kind === "started") {
    const { id, status } = answer;
    return { id, status, result_url: new URL(`/results/${id}`, c.req.url).href };
  }
  const { code, message, id, request_id } = answer.kind === "failed" ? answer : OUTCOME_UNKNOWN;
  const details = { id: id ?? undefined, requestId: request_id ?? undefined };
  throw new Problem(toFinalCode(code) ?? "may_have_started", message, details);
}

function toConflict(kind: keyof typeof CONFLICTS): Problem {
  const { code, message } = CONFLICTS[kind];
  return new Problem(code, message);
}
