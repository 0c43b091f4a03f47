import { Containers } from "./containers/containers.ts";
import { WebhookEndpoints } from "./webhooks/endpoints.ts";
import { FaultRules } from "./faults/rules.ts";
import { InterpreterPool } from "./interpreter/pool.ts";
import type { Item } from "./responses/items.ts";
import { RequestLog } from "./request-log.ts";
import type { Run } from "./responses/run.ts";
import type { Settings } from "./settings.ts";
import { WebhookSender } from "./webhooks/delivery.ts";

export interface Conversation {
  id: string;
  createdAt: number;
  metadata: Record<string, string>;
  /** Its items, each with the run that made it, if one did. */
  entries: { item: Item; run: Run | null }[];
}

export interface UploadedFile {
  id: string;
  createdAt: number;
  filename: string;
  purpose: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Everything one emulator knows. */
export interface State {
  readonly settings: Settings;
  readonly pool: InterpreterPool;
  readonly containers: Containers;
  readonly endpoints: WebhookEndpoints;
  readonly webhooks: WebhookSender;
  readonly requestLog: RequestLog;
  readonly faults: FaultRules;
  readonly runs: Map<string, Run>;
  readonly conversations: Map<string, Conversation>;
  readonly uploads: Map<string, UploadedFile>;
}

/** An emulator's beginning: nothing has happened yet. */
export function createState(settings: Settings): State {
  const pool = new InterpreterPool(settings.interpreters);
  const endpoints = new WebhookEndpoints();
  return {
    settings,
    pool,
    containers: new Containers(settings, pool),
    endpoints,
    webhooks: new WebhookSender(settings, endpoints),
    requestLog: new RequestLog(settings),
    faults: new FaultRules(),
    runs: new Map(),
    conversations: new Map(),
    uploads: new Map(),
  };
}

/** Ends everything that is under way. */
export async function dispose(state: State): Promise<void> {
  for (const run of state.runs.values()) run.abortController.abort();
  state.webhooks.close();
  await state.pool.close();
}
