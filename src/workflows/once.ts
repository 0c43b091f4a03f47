// One run for one Idempotency-Key. KV can't decide between two that arrive at once; a Workflow instance can: it takes one event first.
// docs/decisions/0005-idempotency-workflow.md says why.
import type { WorkflowStep } from "cloudflare:workers";
import * as z from "zod";
import { sha256Hex } from "../lib/sha256.ts";

/** How long a key holds, in milliseconds. */
const DAY = 24 * 60 * 60 * 1000;
/** How often a key can be used again after nothing was started. */
const MOST_TRIES = 50;
/** Milliseconds that a request waits for the answer of the one before it. */
const PATIENCE = 60_000;
/** An instance waits this long for the request that has the turn. */
const GIVEN_UP = "15 minutes";
const CLAIM = "claim";
const ANSWER = "answer";
const TURN = "give the turn";

/** A request that wants the turn: when, its body's digest, and a mark of its own. */
export const Claim = z.object({ at: z.iso.datetime(), digest: z.string(), mark: z.string() });

/** What the first request came to. `free`: nothing was started, and the key can be used again. */
export const Answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("free") }),
  z.object({ kind: z.literal("started"), id: z.string(), status: z.string() }),
  z.object({
    kind: z.literal("failed"),
    status: z.number(),
    code: z.string(),
    message: z.string(),
    id: z.string().nullable(),
    request_id: z.string().nullable(),
  }),
]);

export type Claim = z.infer<typeof Claim>;
export type Answer = z.infer<typeof Answer>;

/** Whose turn it is: one's own, or what another came to; `unknown` when that one never said. */
export type Turn =
  | { kind: "ours"; tell(answer: Answer): Promise<void> }
  | { kind: "theirs"; answer: Answer | "unknown" }
  | { kind: "busy" | "other" | "worn" };

/**
 * Main loop of the Workflow: gives the turn to the first claim, waits for its answer, and returns that as its output.
 * @param step The Workflow's step.
 */
export async function giveTurn(step: WorkflowStep): Promise<Answer | null> {
  const claim = await eventOf(step, CLAIM);
  if (claim === null) return { kind: "free" };
  await step.do(TURN, async () => Claim.parse(claim));
  const answer = await eventOf(step, ANSWER);
  return answer === null ? null : Answer.parse(answer);
}

// Null when no event came: its sender died before.
async function eventOf(step: WorkflowStep, type: string): Promise<unknown> {
  try {
    return (await step.waitForEvent(`wait for the ${type}`, { type, timeout: GIVEN_UP })).payload;
  } catch (error) {
    if (String(error).includes("timed out")) return null;
    throw error;
  }
}

/**
 * Takes the turn of a key, or waits for what came of the turn that another has.
 * @param env The Worker's environment.
 * @param key The caller's key.
 * @param body The request's body.
 */
export async function takeTurn(env: Env, key: string, body: string): Promise<Turn> {
  const name = await sha256Hex(key);
  const at = new Date().toISOString();
  const claim = { at, digest: await sha256Hex(body), mark: crypto.randomUUID() };
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const instance = await findOrMake(env, `key_${name}_${tries}`);
    await instance.sendEvent({ type: CLAIM, payload: claim });
    const turn = await readTurn(instance, claim);
    if (turn !== null) return turn;
  }
  return { kind: "worn" };
}

async function findOrMake(env: Env, id: string): Promise<WorkflowInstance> {
  try {
    return await env.ONCE.create({ id });
  } catch (error) {
    if (!String(error).includes("instance.already_exists")) throw error;
    return env.ONCE.get(id);
  }
}

/** Null when this turn is over: its day is past, or nothing was started. */
async function readTurn(instance: WorkflowInstance, claim: Claim): Promise<Turn | null> {
  using events = await instance.subscribe({
    filter: ["step_completed", "workflow_completed", "workflow_errored", "workflow_terminated"],
  });
  const late = scheduler.wait(PATIENCE).then(() => null);
  for (;;) {
    const next = await Promise.race([events.next(), late]);
    if (next === null) return { kind: "busy" };
    if (next.done === true) return { kind: "theirs", answer: "unknown" };
    const event = next.value;
    if (event.type === "step_completed") {
      if (event.stepName.startsWith(TURN)) {
        const theirs = Claim.parse(event.output);
        if (theirs.mark === claim.mark) return oursAt(instance);
        if (isOver(theirs, claim)) return null;
        if (theirs.digest !== claim.digest && !(await isFree(instance))) return { kind: "other" };
      }
      continue;
    }
    const output = event.type === "workflow_completed" ? Answer.safeParse(event.output).data : null;
    if (output?.kind === "free") return null;
    return { kind: "theirs", answer: output ?? "unknown" };
  }
}

function oursAt(instance: WorkflowInstance): Turn {
  return {
    kind: "ours",
    tell: (answer) => instance.sendEvent({ type: ANSWER, payload: answer }),
  };
}

async function isFree(instance: WorkflowInstance): Promise<boolean> {
  const { output } = await instance.status();
  return Answer.safeParse(output).data?.kind === "free";
}

function isOver(theirs: Claim, now: Claim): boolean {
  return Date.parse(now.at) - Date.parse(theirs.at) > DAY;
}
