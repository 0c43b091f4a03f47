// Plays one planned response: sets its faults, starts it, and follows what was promised until its record is complete.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ResponseRecord } from "../../../src/record/schema.ts";
import { askApi, type Caller, type Fate } from "./caller.ts";
import type { Entry, Ledger } from "./acknowledgements.ts";
import type { Post } from "./webhook-relay.ts";
import { requestOf, type Kind, type Plan } from "./schedule.ts";

/** What a player needs. */
export type Stage = {
  seed: number;
  /** The emulator's URL. */
  api: string;
  caller: Caller;
  post: Post;
  ledger: Ledger;
  /** Ends the following of records that don't come. */
  over: AbortSignal;
};

/** Seconds that each try of a caller with an Idempotency-Key has. The second waits for the first, which may have died. */
const TRIES = [90, 10];

const UNKNOWN = "resp_unknown_";

const Started = z.object({ id: z.string() });

/** How each kind of response begins. One more kind is one more line. */
const PLAYERS: Record<Kind, (stage: Stage, entry: Entry) => Promise<void>> = {
  trigger: playTrigger,
  held: playTrigger,
  stranger: playStranger,
  unknown: playUnknown,
};

/** Starts one response as it is planned. */
export async function play(stage: Stage, plan: Plan): Promise<void> {
  const entry: Entry = { plan, id: null, answer: null, kills: stage.ledger.kills };
  stage.ledger.entries.set(plan.number, entry);
  stage.ledger.started += 1;
  for (const rule of plan.faults) await addFault(stage.api, rule);
  await PLAYERS[plan.kind](stage, entry);
}

/**
 * Reads a record until it is complete: settled, and with its files.
 * @param stage Where the soak is played.
 * @param id The response.
 * @param awake The kills that it can't be asleep from, because it began after them.
 */
export async function follow(stage: Stage, id: string, awake: number): Promise<void> {
  const { caller, ledger, over } = stage;
  for (let seen = awake; !over.aborted;) {
    if (seen !== ledger.kills) {
      seen = ledger.kills;
      await wake(stage, id);
    }
    const fate = await caller.ask(`/results/${id}?wait=60`);
    const record = recordOf(fate);
    if (record !== null) ledger.records.set(id, record);
    if (record !== null && isComplete(record)) break;
    await sleep(record === null ? 500 : 50);
  }
  if (!over.aborted) ledger.open.delete(id);
}

/**
 * Sends a wish to look to a run that is not complete, as `npm start` does: after a restart no local Workflow wakes by itself. In production
 * alarms do that. A run that nobody knows stays unknown: a look would make a record of what was lost.
 */
export async function wake({ caller, over }: Stage, id: string): Promise<void> {
  while (!over.aborted) {
    const fate = await caller.ask(`/results/${id}`);
    if (fate.kind === "answered" && fate.status === 404) return;
    const record = recordOf(fate);
    if (record !== null && isComplete(record)) return;
    if (record !== null && (await isWoken(caller, id))) return;
    await sleep(500);
  }
}

async function isWoken(caller: Caller, id: string): Promise<boolean> {
  const fate = await caller.ask(`/results/${id}/refetch`, { method: "POST" });
  return fate.kind === "answered" && fate.status === 202;
}

/** The record of an answer, if it is one. */
export function recordOf(fate: Fate): ResponseRecord | null {
  if (fate.kind !== "answered" || fate.status !== 200) return null;
  return ResponseRecord.parse(fate.body);
}

/** Whether nothing more is to come. Files are copied beside the looks, so a record can be settled before it has them. */
export function isComplete(record: ResponseRecord): boolean {
  if (record.settled_at === null) return false;
  return record.calls.every(({ code }) => !code?.includes("open(")) || record.files.length > 0;
}

async function playTrigger(stage: Stage, entry: Entry): Promise<void> {
  const { plan } = entry;
  const { control, replay } = plan;
  const hold = plan.kind === "held";
  const headers = new Headers();
  if (plan.keyed) headers.set("idempotency-key", `soak-${stage.seed}-${plan.number}`);
  const body = JSON.stringify({ ...requestOf(plan), control, replay, hold });
  const id = await triggerOnce(stage, entry, { method: "POST", body, headers });
  if (id === null) return;
  entry.id = id;
  if (stage.ledger.promise(id, "trigger")) void follow(stage, id, entry.kills);
  if (plan.ending === "cancelled") await cancel(stage, id);
}

// What never reached the Worker is sent again. What may have is sent again only with a key: each try is billed.
async function triggerOnce(stage: Stage, entry: Entry, init: RequestInit): Promise<string | null> {
  for (let tries = 0; tries < TRIES.length;) {
    const fate = await stage.caller.ask("/trigger", init, TRIES[tries]);
    if (fate.kind === "answered" && fate.status === 202) {
      entry.answer = 202;
      return Started.parse(fate.body).id;
    }
    if (fate.kind !== "unsent") {
      entry.answer = fate.kind === "answered" ? fate.status : "none";
      if (!entry.plan.keyed) return null;
      tries += 1;
    }
    await sleep(500);
  }
  return null;
}

async function cancel({ api, caller }: Stage, id: string): Promise<void> {
  await sleep(1_000);
  const fate = await caller.ask(`/results/${id}/cancel`, { method: "POST" });
  if (fate.kind === "answered" && fate.status === 202) return;
  await askApi(api, `/responses/${id}/cancel`, {});
}

async function playStranger(stage: Stage, { plan }: Entry): Promise<void> {
  await askApi(stage.api, "/responses", { ...requestOf(plan), background: true, store: true });
}

// OpenAI's dashboard sends test events like this one: nobody has ever seen the response that it names.
async function playUnknown(stage: Stage, entry: Entry): Promise<void> {
  const id = `${UNKNOWN}${stage.seed}_${entry.plan.number}`;
  entry.id = id;
  const event = { id: `evt_${entry.plan.number}`, object: "event", type: "response.completed" };
  stage.post.send(id, JSON.stringify({ ...event, data: { id } }));
}

/** Whether an id is one that nobody has ever seen. */
export function isUnknown(id: string): boolean {
  return id.startsWith(UNKNOWN);
}

async function addFault(api: string, rule: Record<string, unknown>): Promise<void> {
  const answer = await fetch(`${api}/_emulator/faults`, {
    method: "POST",
    body: JSON.stringify(rule),
  });
  if (!answer.ok) throw new Error(`the emulator refused a fault: ${await answer.text()}`);
}
