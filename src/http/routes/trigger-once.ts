// Triggers with an Idempotency-Key: the same key gives the same answer for a day, and one run.
import type { Context } from "hono";
import { Problem } from "../../errors.ts";
import { takeTurn, type Answer, type Turn } from "../../workflows/once.ts";
import type { App } from "../middleware/auth.ts";
import { trigger, type Started } from "./trigger.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;
/** Failures after which a response may be running. */
const BINDING: Partial<Record<string, 502 | 503>> = {
  may_have_started: 502,
  not_handed_over: 503,
  not_begun: 503,
};

type Failed = Extract<Answer, { kind: "failed" }>;

/**
 * Starts what a caller asked for; with an `Idempotency-Key`, once.
 * @param c The request's context.
 * @param asked The request's body.
 * @throws Problem 422 when the key came with another body, 409 while the first request with it has no answer yet.
 */
export async function triggerOnce(c: Context<App>, asked: unknown): Promise<Started> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return trigger(c, asked);
  if (!KEY.test(key)) {
    const message = "Idempotency-Key must have 1 to 255 visible ASCII characters.";
    throw new Problem(400, "bad_request", message);
  }
  const turn = await takeTurn(c.env, key, JSON.stringify(asked));
  if (turn.kind !== "ours") return repeat(c, turn);
  // It must be told even when the caller hangs up.
  const work = startAndTell(c, asked, turn);
  c.executionCtx.waitUntil(work.catch(() => undefined));
  return work;
}

async function startAndTell(
  c: Context<App>,
  asked: unknown,
  turn: Extract<Turn, { kind: "ours" }>,
): Promise<Started> {
  try {
    const started = await trigger(c, asked);
    await turn.tell({ kind: "started", id: started.id, status: started.status });
    return started;
  } catch (error) {
    await turn.tell(ofFailure(error));
    throw error;
  }
}

function ofFailure(error: unknown): Answer {
  if (!(error instanceof Problem)) return UNKNOWN;
  const { status, code, message, id = null, requestId: request_id = null } = error;
  if (BINDING[code] === undefined) return { kind: "free" };
  return { kind: "failed", status, code, message, id, request_id };
}

const UNKNOWN: Failed = {
  kind: "failed",
  status: 502,
  code: "may_have_started",
  message:
    "It is not known what came of the first request with this Idempotency-Key. Look at /results, and use another key to try again.",
  id: null,
  request_id: null,
};

const REFUSALS = {
  busy: {
    status: 409,
    code: "in_progress",
    message: "The first request with this Idempotency-Key is still under way. Ask again.",
  },
  other: {
    status: 422,
    code: "key_reused",
    message: "This Idempotency-Key came with another body before. Use another key.",
  },
  worn: {
    status: 409,
    code: "key_worn",
    message: "This Idempotency-Key has failed too often today. Use another key.",
  },
} as const;

function repeat(c: Context<App>, turn: Exclude<Turn, { kind: "ours" }>): Started {
  if (turn.kind !== "theirs") throw refusal(turn.kind);
  const answer = turn.answer === "unknown" ? UNKNOWN : turn.answer;
  if (answer.kind === "started") {
    const { id, status } = answer;
    return { id, status, result_url: new URL(`/results/${id}`, c.req.url).href };
  }
  const { code, message, id, request_id } = answer.kind === "failed" ? answer : UNKNOWN;
  const more = { id: id ?? undefined, requestId: request_id ?? undefined };
  throw new Problem(BINDING[code] ?? 502, code, message, more);
}

function refusal(kind: keyof typeof REFUSALS): Problem {
  const { status, code, message } = REFUSALS[kind];
  return new Problem(status, code, message);
}
