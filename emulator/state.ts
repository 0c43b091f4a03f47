import { Containers } from "./containers/containers.ts";
import type { UploadedFile } from "./containers/uploads.ts";
import type { Conversation } from "./conversations.ts";
import { FaultRules } from "./faults/rules.ts";
import { InterpreterPool } from "./interpreter/pool.ts";
import { History } from "./lib/history.ts";
import type { Log } from "./lib/log.ts";
import type { LoggedRequest } from "./request-log.ts";
import { Runs } from "./responses/runs.ts";
import { Scripts } from "./scripts/scripts.ts";
import type { Settings } from "./settings.ts";
import { WebhookSender } from "./webhooks/delivery.ts";
import { WebhookEndpoints } from "./webhooks/endpoints.ts";

/** How often the interpreters of idle containers are ended, each of which takes much memory. */
const SWEEP_INTERVAL_MS = 60_000;

/** The whole state of one emulator. It is kept in memory only. */
export interface State {
  readonly settings: Settings;
  readonly log: Log;
  readonly pool: InterpreterPool;
  readonly containers: Containers;
  readonly sweepTimer: NodeJS.Timeout;
  readonly endpoints: WebhookEndpoints;
  readonly webhooks: WebhookSender;
  readonly requestLog: History<LoggedRequest>;
  readonly faults: FaultRules;
  readonly scripts: Scripts;
  readonly runs: Runs;
  readonly conversations: Map<string, Conversation>;
  readonly uploads: Map<string, UploadedFile>;
}

export function createState(settings: Settings, log: Log): State {
  const pool = new InterpreterPool({
    spareCount: settings.interpreters,
    getMaxCount: () => settings.maxInterpreters,
  });
  const endpoints = new WebhookEndpoints();
  const containers = new Containers({ settings, pool, log });
  return {
    settings,
    log,
    pool,
    containers,
    sweepTimer: setInterval(() => containers.sweep(), SWEEP_INTERVAL_MS).unref(),
    endpoints,
    webhooks: new WebhookSender(settings, endpoints),
    requestLog: new History(() => settings.historySize),
    faults: new FaultRules(),
    scripts: new Scripts(),
    runs: new Runs(settings),
    conversations: new Map(),
    uploads: new Map(),
  };
}

/** Aborts all runs and webhook deliveries, and stops the interpreters. */
export async function disposeState(state: State): Promise<void> {
  for (const run of state.runs.values()) run.abortController.abort();
  state.webhooks.close();
  clearInterval(state.sweepTimer);
  await state.pool.close();
}
