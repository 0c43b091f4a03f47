// Runs one planned response: sets its faults, starts it, and reads its record until that is complete.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ResponseRecord } from "../../../src/record/schema.ts";
import type { EmulatorClient } from "../../support/emulator-client.ts";
import { postToApi, type WorkerClient, type RequestOutcome } from "./worker-client.ts";
import type { ResponseEntry, Acknowledgements } from "./acknowledgements.ts";
import type { WebhookRelay } from "./webhook-relay.ts";
import type { Kind } from "./kind.ts";
import { toCreateParams, toScript, type Plan } from "./schedule.ts";

/** What the parts of a soak share. */
export type SoakContext = {
  seed: number;
  emulator: EmulatorClient;
  client: WorkerClient;
  relay: WebhookRelay;
  acknowledgements: Acknowledgements;
  /** Ends the wait for records that do not come. */
  stopped: AbortSignal;
};

/** The timeouts of attempts with one Idempotency-Key. The second attempt waits for the first, which may have been killed. */
const ATTEMPT_TIMEOUTS_SECONDS = [90, 10];

const UNKNOWN_ID_PREFIX = "resp_unknown_";

const Started = z.object({ id: z.string() });
/** The response runs, and is handed over later. */
const HandOverFailed = z.object({
  error: z.object({ code: z.literal("handover_failed"), id: z.string() }),
});

/** Starts a response, by its kind. */
const RUNNERS: Record<Kind, (context: SoakContext, entry: ResponseEntry) => Promise<void>> = {
  trigger: runTriggered,
  held: runTriggered,
  followed: runTriggered,
  external: runExternal,
  unknown: runUnknown,
};

/** Starts a response as planned. */
export async function runResponse(context: SoakContext, plan: Plan): Promise<void> {
  const entry: ResponseEntry = { plan, id: null, answer: null, isDeleted: false };
  context.acknowledgements.entries.set(plan.number, entry);
  context.acknowledgements.started += 1;
  for (const rule of plan.faults) await context.emulator.addFault(rule);
  const script = toScript(plan);
  if (script !== null) {
    await context.emulator.addScriptFor({ soak: String(plan.number) }, script);
  }
  await RUNNERS[plan.kind](context, entry);
}

/** Reads a record until it is complete: settled, and with its files. A read makes no Recorder go on with its work. */
export async function followUntilComplete(context: SoakContext, id: string): Promise<void> {
  const { client, acknowledgements, stopped } = context;
  while (!stopped.aborted && !acknowledgements.deleted.has(id)) {
    const outcome = await client.request(`/results/${id}?wait=60&until=settled`);
    const record = parseRecord(outcome);
    if (record !== null) acknowledgements.records.set(id, record);
    if (record !== null && (isComplete(record) || isDeleted(record))) break;
    await sleep(record === null ? 500 : 50);
  }
  if (!stopped.aborted) acknowledgements.incomplete.delete(id);
}

/** Returns the record of an answer, or null. */
export function parseRecord(outcome: RequestOutcome): ResponseRecord | null {
  if (outcome.kind !== "answered" || outcome.status !== 200) return null;
  return ResponseRecord.parse(outcome.body);
}

/** Whether nothing more can come. Files are copied after the end, so a record can be settled before it has them. */
export function isComplete(record: ResponseRecord): boolean {
  if (record.settled_at === null) return false;
  return record.calls.every(({ code }) => !code?.includes("open(")) || record.files.length > 0;
}

// What OpenAI has deleted before it was seen is asked for for a minute, and then there is no record of it.
function isDeleted({ status, observations }: ResponseRecord): boolean {
  return status === null && observations.at(-1)?.http_status === 404;
}

async function runTriggered(context: SoakContext, entry: ResponseEntry): Promise<void> {
  const { plan } = entry;
  const { control } = plan;
  const flags = { control, hold: plan.kind === "held", stream: plan.kind === "followed" };
  const headers = new Headers();
  if (plan.hasKey) headers.set("idempotency-key", `soak-${context.seed}-${plan.number}`);
  const body = JSON.stringify({ ...toCreateParams(plan), ...flags });
  const id = await triggerWithRetries(context, entry, { method: "POST", body, headers });
  if (id === null) return;
  entry.id = id;
  if (context.acknowledgements.acknowledge(id, "trigger")) void followUntilComplete(context, id);
  if (plan.ending === "cancelled") await cancelRun(context, id);
  if (plan.deletedAfterSeconds !== null) {
    await sleep(plan.deletedAfterSeconds * 1000);
    await deleteRun(context, entry, id);
  }
}

// A request that never reached the Worker is repeated. One that may have is repeated only with a key: each run is billed.
async function triggerWithRetries(
  context: SoakContext,
  entry: ResponseEntry,
  init: RequestInit,
): Promise<string | null> {
  for (let attempt = 0; attempt < ATTEMPT_TIMEOUTS_SECONDS.length;) {
    const outcome = await context.client.request(
      "/trigger",
      init,
      ATTEMPT_TIMEOUTS_SECONDS[attempt],
    );
    if (outcome.kind === "answered" && outcome.status === 202) {
      entry.answer = 202;
      return Started.parse(outcome.body).id;
    }
    const handedOverLater = parseHandOverLater(entry.plan, outcome);
    if (outcome.kind !== "unsent") {
      entry.answer = outcome.kind === "answered" ? outcome.status : "none";
      if (handedOverLater !== null || !entry.plan.hasKey) return handedOverLater;
      attempt += 1;
    }
    await sleep(500);
  }
  return null;
}

// A Connection keeps its promise without a webhook.
function parseHandOverLater({ kind }: Plan, outcome: RequestOutcome): string | null {
  if (outcome.kind !== "answered" || (kind !== "held" && kind !== "followed")) return null;
  return HandOverFailed.safeParse(outcome.body).data?.error.id ?? null;
}

// After a 404 the record may only not have begun yet, unless an earlier attempt was cut off.
async function deleteRun(context: SoakContext, entry: ResponseEntry, id: string): Promise<void> {
  const { client, acknowledgements, stopped } = context;
  let wasCutOff = false;
  while (!stopped.aborted) {
    const outcome = await client.request(`/results/${id}`, { method: "DELETE" });
    const status = outcome.kind === "answered" ? outcome.status : null;
    if (status === 204 || (status === 404 && wasCutOff)) {
      entry.isDeleted = true;
      acknowledgements.deleted.add(id);
      return;
    }
    wasCutOff ||= status !== 404 && outcome.kind !== "unsent";
    await sleep(500);
  }
}

async function cancelRun({ emulator, client }: SoakContext, id: string): Promise<void> {
  await sleep(1_000);
  const outcome = await client.request(`/results/${id}/cancel`, { method: "POST" });
  if (outcome.kind === "answered" && outcome.status === 202) return;
  await postToApi(emulator.url, `/responses/${id}/cancel`, {});
}

async function runExternal(context: SoakContext, { plan }: ResponseEntry): Promise<void> {
  await postToApi(context.emulator.url, "/responses", {
    ...toCreateParams(plan),
    background: true,
    store: true,
  });
}

// Like a test event of OpenAI's dashboard, which names a response that does not exist.
async function runUnknown(context: SoakContext, entry: ResponseEntry): Promise<void> {
  const id = `${UNKNOWN_ID_PREFIX}${context.seed}_${entry.plan.number}`;
  entry.id = id;
  const event = { id: `evt_${entry.plan.number}`, object: "event", type: "response.completed" };
  context.relay.relay(id, JSON.stringify({ ...event, data: { id } }));
}

/** Whether an id is that of a test event. */
export function isUnknownId(id: string): boolean {
  return id.startsWith(UNKNOWN_ID_PREFIX);
}
