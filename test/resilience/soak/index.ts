// Many responses at once against the emulator, with every fault on the schedule and the real Worker killed in between.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator, type Emulator } from "../../../emulator/server.ts";
import { toTestVars } from "../../support/process-world.ts";
import { startWorkerProcess, type WorkerProcess } from "../../support/worker-process.ts";
import { API_KEY } from "../../support/world.ts";
import { Caller } from "./caller.ts";
import { RAISED, writeConfig } from "../../support/config.ts";
import { gather, type Evidence } from "./evidence.ts";
import { killAt } from "./kills.ts";
import { Ledger } from "./acknowledgements.ts";
import { follow, isUnknown, play, type Stage } from "./runner.ts";
import { Post, type Secrets } from "./webhook-relay.ts";
import { DEADLINE, planOf } from "./schedule.ts";
import { truthOf } from "./emulator-api.ts";

/** What a soak is to be. */
export type Options = {
  seed: number;
  responses: number;
  /** How many are started a second. */
  rate: number;
  /** How many are under way at once, at the most. */
  atOnce: number;
  kills: number;
  /** REFETCH_DELAYS, shortened. */
  again: string;
  /** Seconds to wait, after the last was started, for records that don't come. */
  patience: number;
  /** Told what is going on. */
  say: (line: string) => void;
};

/** Of a thousand writes and steps, so many fail. */
const FAILS = 30;

const SECRETS: Secrets = {
  now: "whsec_bm93LXNpZ25zLWZvci10aGUtc29hay1vbmx5",
  old: "whsec_b2xkLXNpZ25zLWZvci10aGUtc29hay1vbmx5",
  wrong: "whsec_c29tZWJvZHktZWxzZS1hbHRvZ2V0aGVyLW5v",
};

/** Plays a whole soak and gathers the evidence. Nothing of it is left behind. */
export async function soak(options: Options): Promise<Evidence> {
  const state = mkdtempSync(join(tmpdir(), "response-recorder-soak-"));
  const emulator = await startEmulator({
    apiKey: API_KEY,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    streamOutputs: "present",
    historySize: 1_000_000,
    // Nobody has measured which of the two OpenAI does.
    onDisconnect: options.seed % 2 === 0 ? "complete" : "cancel",
  });
  let worker: WorkerProcess | null = null;
  let post: Post | null = null;
  try {
    worker = await startWorker(state, emulator, options);
    const ledger = new Ledger();
    const caller = new Caller(worker);
    const over = new AbortController();
    post = new Post({
      secrets: SECRETS,
      mailOf: (id) => mailOf(stage, id),
      deliver: (body, headers) => deliver(caller, body, headers),
      accepted: (id) => accepted(stage, id),
    });
    const stage: Stage = { ...options, api: emulator.url, caller, post, ledger, over: over.signal };
    await post.open();
    await aim(emulator, post.url);
    const kills = await run(stage, worker, options, over);
    return await gather(stage, worker, kills);
  } finally {
    post?.close();
    await worker?.close();
    await emulator.close();
    rmSync(state, { recursive: true, force: true });
  }
}

// An unknown id is looked for a minute and more: nobody waits for that.
function accepted(stage: Stage, id: string): void {
  if (isUnknown(id)) stage.ledger.delivered.add(id);
  else if (stage.ledger.promise(id, "webhook")) void follow(stage, id, 0);
}

async function startWorker(
  state: string,
  emulator: Emulator,
  options: Options,
): Promise<WorkerProcess> {
  const config = writeConfig(state, { main: "test/resilience/soak/worker/index.ts", raised: true });
  options.say(RAISED);
  return startWorkerProcess({
    state: join(state, "state"),
    config,
    vars: {
      ...toTestVars(emulator.url),
      OPENAI_WEBHOOK_SECRET: `${SECRETS.now} ${SECRETS.old}`,
      WEBHOOK_DEADLINE: String(DEADLINE),
      REFETCH_DELAYS: options.again,
      SOAK_SEED: String(options.seed),
      SOAK_FAILS: String(FAILS),
    },
  });
}

async function run(
  stage: Stage,
  worker: WorkerProcess,
  options: Options,
  over: AbortController,
): Promise<number[]> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const plans = Array.from({ length: options.responses }, (_, index) =>
    planOf(options.seed, index + 1, options.rate),
  );
  const talk = setInterval(() => options.say(progress(stage, elapsed())), 5_000);
  const killing = killAt(stage, worker, options, elapsed);
  // On a slow machine a response begins later than planned, so that only so many are under way.
  const plays = new Set<Promise<void>>();
  for (const plan of plans) {
    await sleep(Math.max(0, plan.at - elapsed()) * 1000);
    while (stage.ledger.open.size + plays.size >= options.atOnce) await sleep(20);
    const one = play(stage, plan).finally(() => plays.delete(one));
    plays.add(one);
  }
  await Promise.all(plays);
  const kills = await killing;
  await settle(stage, options.patience);
  over.abort();
  clearInterval(talk);
  options.say(progress(stage, elapsed()));
  return kills;
}

// A response that nobody acknowledged has nobody who follows it, but its webhook may still come.
async function settle({ ledger, post }: Stage, patience: number): Promise<void> {
  const end = Date.now() + patience * 1000;
  let quiet = 0;
  while (Date.now() < end && quiet < 5) {
    await sleep(1_000);
    quiet = ledger.open.size === 0 && post.waiting === 0 ? quiet + 1 : 0;
  }
}

function progress({ ledger, post, caller }: Stage, seconds: number): string {
  const done = ledger.promised - ledger.open.size;
  return `${seconds.toFixed(0).padStart(5)} s  ${ledger.started} started, ${ledger.open.size} followed, ${done} complete, ${post.waiting} webhooks on their way, ${caller.cut} requests cut off`;
}

async function mailOf({ api, ledger }: Stage, id: string) {
  const number = isUnknown(id) ? id.split("_").at(-1) : (await truthOf(api, id)).metadata["soak"];
  const entry = ledger.entries.get(Number(number));
  if (entry === undefined) throw new Error(`nobody has planned ${id}`);
  return entry.plan.mail;
}

async function deliver(
  caller: Caller,
  body: string,
  headers: Record<string, string>,
): Promise<number | null> {
  const fate = await caller.send("/webhook", { method: "POST", body, headers });
  return fate.kind === "answered" ? fate.status : null;
}

async function aim(emulator: Emulator, webhookUrl: string): Promise<void> {
  await fetch(`${emulator.url}/_emulator/settings`, {
    method: "PATCH",
    body: JSON.stringify({ webhookUrl }),
  });
}
