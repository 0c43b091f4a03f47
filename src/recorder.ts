// The story of one response. What is decided is decided in plan.ts, record.ts and verdict.ts; what is done, by the hands given to it.
import type { z } from "zod";
import {
  begin,
  foldWake,
  type Channel,
  type Known,
  Look,
  type Start,
  type Wake,
  Webhook,
} from "./record.ts";
import { advance, isListed, isNews, plan, type Rules } from "./plan.ts";

/** The type of the Workflow event that wakes a Recorder. OpenAI's own type has a dot, which production refuses. */
export const WAKE = "webhook";

// A look answers in 90 s at the most; it throws only when KV refuses the record, which is tried again for about a day.
const LOOK = {
  timeout: "5 minutes",
  retries: { limit: 300, delay: "5 minutes", backoff: "constant" },
} as const;
const WRITE = {
  timeout: "1 minute",
  retries: { limit: 300, delay: "5 minutes", backoff: "constant" },
} as const;

/** What the story needs of a WorkflowStep. https://developers.cloudflare.com/workflows/build/workers-api/#workflowstep */
export interface Step {
  do<T>(name: string, config: typeof LOOK | typeof WRITE, callback: () => Promise<T>): Promise<T>;
  waitForEvent(
    name: string,
    options: { type: string; timeout: number },
  ): Promise<{ payload: Wake }>;
}

/** What the story does to the world. */
export interface Hands {
  look(record: Known, channel: Channel): Promise<{ look: Look; chunks: Uint8Array[] | null }>;
  store(record: Known, chunks: Uint8Array[] | null): Promise<void>;
  list(record: Known): Promise<void>;
  recall(id: string): Promise<Known | null>;
}

/** A look step's result: the history, from which readers follow a run, doesn't hold what an event brought. */
export const LookStep = Look.extend({ webhook: Webhook.nullable() });
export type LookStep = z.infer<typeof LookStep>;

/** How a run ended, as the instance's output. */
export type Outcome = { id: string; verdict: Known["verdict"]; recorded: boolean };

/**
 * Follows one response to its end.
 * @param start What the instance was created with.
 * @param step The Workflow's step, or a stand-in for it.
 * @param hands What looks, stores and lists.
 * @param rules The settings that planning needs.
 */
export async function follow(
  start: Start,
  step: Step,
  hands: Hands,
  rules: Rules,
): Promise<Outcome> {
  let record = await open(start, step, hands);
  for (let turn = 1; ; turn += 1) {
    const next = plan(record, rules);
    if (next.do === "end") break;
    record = await pause(step, `wait ${turn}`, next.after, record);
    const before = record;
    const look = await step.do(`look ${turn}`, LOOK, () =>
      lookOnce(before, next.channel, hands, rules),
    );
    record = advance(before, look, rules);
    if (isNews(before, record) && isListed(record)) await list(step, `list ${turn}`, record, hands);
  }
  return { id: record.id, verdict: record.verdict, recorded: !record.unwanted };
}

async function open(start: Start, step: Step, hands: Hands): Promise<Known> {
  const record = begin(start);
  if (start.started_by !== "trigger") {
    const stored = await step.do("recall", WRITE, () => hands.recall(start.id));
    return stored ?? record;
  }
  await list(step, "list as in flight", record, hands);
  return record;
}

async function list(step: Step, name: string, record: Known, hands: Hands): Promise<void> {
  await step.do(name, WRITE, async () => {
    await hands.list(record);
    return null;
  });
}

async function pause(step: Step, name: string, seconds: number, record: Known): Promise<Known> {
  if (seconds <= 0) return record;
  try {
    const event = await step.waitForEvent(name, { type: WAKE, timeout: Math.ceil(seconds * 1000) });
    return foldWake(record, event.payload);
  } catch (error) {
    if (isTimeout(error)) return record;
    throw error;
  }
}

// Its name is "Error", and what stands before these words differs between the first run and a replay.
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes("timed out");
}

/** One look, and the record stored with its body where that is news: a body of megabytes must not travel through the engine. */
async function lookOnce(
  record: Known,
  channel: Channel,
  hands: Hands,
  rules: Rules,
): Promise<LookStep> {
  const { look, chunks } = await hands.look(record, channel);
  const after = advance(record, look, rules);
  if (isNews(record, after)) await hands.store(after, chunks);
  return { ...look, webhook: record.webhook };
}
