// The soak: many responses at once through the real Worker, with every fault on the schedule and kill -9 in between.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator, type Emulator } from "../../../emulator/server.ts";
import { createEmulatorClient } from "../../support/emulator-client.ts";
import { toTestVars } from "../../support/process-world.ts";
import { startWorkerProcess, type WorkerProcess } from "../../support/worker-process.ts";
import { API_KEY } from "../../support/world.ts";
import { WorkerClient } from "./worker-client.ts";
import { RAISED, writeConfig } from "../../support/config.ts";
import { gatherEvidence, type Evidence } from "./evidence.ts";
import { killRepeatedly } from "./kills.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { followUntilComplete, isUnknownId, runResponse, type SoakContext } from "./runner.ts";
import { WebhookRelay, type Secrets } from "./webhook-relay.ts";
import { WEBHOOK_DEADLINE_SECONDS, createPlan } from "./schedule.ts";

export type SoakOptions = {
  seed: number;
  responses: number;
  /** How many responses start in a second. */
  startsPerSecond: number;
  /** How many responses may be in flight at once. */
  maxInFlight: number;
  kills: number;
  /** The setting REFETCH_DELAYS, shortened. */
  refetchDelays: string;
  /** Seconds to wait for missing records after the last start. */
  recordTimeoutSeconds: number;
  /** Receives a line about the progress. */
  onProgress: (line: string) => void;
};

/** How many of a thousand KV writes, Catalog calls and calls from and to Connections fail, and with how many calls and writes their object dies. */
const FAULTS_PER_THOUSAND = 30;

const SECRETS: Secrets = {
  now: "whsec_bm93LXNpZ25zLWZvci10aGUtc29hay1vbmx5",
  old: "whsec_b2xkLXNpZ25zLWZvci10aGUtc29hay1vbmx5",
  wrong: "whsec_c29tZWJvZHktZWxzZS1hbHRvZ2V0aGVyLW5v",
};

/** Runs a soak, and gathers the evidence. It leaves no process and no file behind. */
export async function soak(options: SoakOptions): Promise<Evidence> {
  const state = mkdtempSync(join(tmpdir(), "response-recorder-soak-"));
  const emulator = await startEmulator({
    apiKey: API_KEY,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    streamOutputs: "present",
    historySize: 1_000_000,
    maxResponses: 1_000_000,
    // It is not known which of the two OpenAI does.
    onDisconnect: options.seed % 2 === 0 ? "complete" : "cancel",
  });
  let worker: WorkerProcess | null = null;
  let relay: WebhookRelay | null = null;
  try {
    worker = await startWorker(state, emulator, options);
    const client = new WorkerClient(worker);
    const stop = new AbortController();
    relay = new WebhookRelay({
      secrets: SECRETS,
      findSchedule: (id) => findWebhookSchedule(context, id),
      deliver: (body, headers) => deliverWebhook(client, body, headers),
      onAccepted: (id) => onWebhookAccepted(context, id),
    });
    const context: SoakContext = {
      ...options,
      emulator: createEmulatorClient(emulator.url),
      client,
      relay,
      acknowledgements: new Acknowledgements(),
      stopped: stop.signal,
    };
    await relay.open();
    await context.emulator.configure({ webhookUrl: relay.url });
    const kills = await runSchedule(context, worker, options, stop);
    return await gatherEvidence(context, worker, kills);
  } finally {
    relay?.close();
    await worker?.close();
    await emulator.close();
    rmSync(state, { recursive: true, force: true });
  }
}

// An unknown id is observed for more than a minute; the soak does not wait for that.
function onWebhookAccepted(context: SoakContext, id: string): void {
  if (isUnknownId(id)) context.acknowledgements.delivered.add(id);
  else if (context.acknowledgements.acknowledge(id, "webhook"))
    void followUntilComplete(context, id);
}

async function startWorker(
  state: string,
  emulator: Emulator,
  options: SoakOptions,
): Promise<WorkerProcess> {
  const config = writeConfig(state, { main: "test/resilience/soak/worker/index.ts", raised: true });
  options.onProgress(RAISED);
  return startWorkerProcess({
    state: join(state, "state"),
    config,
    vars: {
      ...toTestVars(emulator.url),
      OPENAI_WEBHOOK_SECRET: `${SECRETS.now} ${SECRETS.old}`,
      WEBHOOK_DEADLINE: String(WEBHOOK_DEADLINE_SECONDS),
      REFETCH_DELAYS: options.refetchDelays,
      SOAK_SEED: String(options.seed),
      SOAK_FAILS: String(FAULTS_PER_THOUSAND),
    },
  });
}

async function runSchedule(
  context: SoakContext,
  worker: WorkerProcess,
  options: SoakOptions,
  stop: AbortController,
): Promise<number[]> {
  const startedAt = performance.now();
  const elapsedSeconds = () => (performance.now() - startedAt) / 1000;
  const plans = Array.from({ length: options.responses }, (_, index) =>
    createPlan(options.seed, index + 1, options.startsPerSecond),
  );
  const progressTimer = setInterval(
    () => options.onProgress(formatProgress(context, elapsedSeconds())),
    5_000,
  );
  const killing = killRepeatedly(context, worker, options, elapsedSeconds);
  // On a slow machine a response starts later than planned, because the number in flight is limited.
  const starting = new Set<Promise<void>>();
  for (const plan of plans) {
    await sleep(Math.max(0, plan.startSeconds - elapsedSeconds()) * 1000);
    while (context.acknowledgements.incomplete.size + starting.size >= options.maxInFlight)
      await sleep(20);
    const started = runResponse(context, plan).finally(() => starting.delete(started));
    starting.add(started);
  }
  await Promise.all(starting);
  const kills = await killing;
  await waitUntilQuiet(context, options.recordTimeoutSeconds);
  stop.abort();
  clearInterval(progressTimer);
  options.onProgress(formatProgress(context, elapsedSeconds()));
  return kills;
}

// A response that was not acknowledged is not followed, but its webhook may still come.
async function waitUntilQuiet(
  { acknowledgements, relay }: SoakContext,
  timeoutSeconds: number,
): Promise<void> {
  const end = Date.now() + timeoutSeconds * 1000;
  let quiet = 0;
  while (Date.now() < end && quiet < 5) {
    await sleep(1_000);
    quiet = acknowledgements.incomplete.size === 0 && relay.pendingCount === 0 ? quiet + 1 : 0;
  }
}

function formatProgress({ acknowledgements, relay, client }: SoakContext, seconds: number): string {
  const done = acknowledgements.acknowledgedCount - acknowledgements.incomplete.size;
  return `${seconds.toFixed(0).padStart(5)} s  ${acknowledgements.started} started, ${acknowledgements.incomplete.size} followed, ${done} complete, ${relay.pendingCount} webhooks to deliver, ${client.cutOff} requests cut off`;
}

async function findWebhookSchedule({ emulator, acknowledgements }: SoakContext, id: string) {
  const number = isUnknownId(id)
    ? id.split("_").at(-1)
    : (await emulator.getRun(id)).metadata["soak"];
  const entry = acknowledgements.entries.get(Number(number));
  if (entry === undefined) throw new Error(`${id} was not planned`);
  return entry.plan.webhookSchedule;
}

async function deliverWebhook(
  client: WorkerClient,
  body: string,
  headers: Record<string, string>,
): Promise<number | null> {
  const outcome = await client.send("/webhook", { method: "POST", body, headers });
  return outcome.kind === "answered" ? outcome.status : null;
}
