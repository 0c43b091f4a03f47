import { Containers } from "./containers/containers.ts";
import { Endpoints } from "./webhooks/endpoints.ts";
import { Faults } from "./faults/rules.ts";
import { Pool } from "./interpreter/pool.ts";
import type { Item } from "./responses/items.ts";
import { Journal } from "./request-log.ts";
import type { Run } from "./responses/run.ts";
import type { Settings } from "./settings.ts";
import { Webhooks } from "./webhooks/delivery.ts";

export interface Conversation {
  id: string;
  createdAt: number;
  metadata: Record<string, string>;
  /** Its items, each with the run that made it, if one did. */
  entries: { item: Item; run: Run | null }[];
}

export interface Upload {
  id: string;
  createdAt: number;
  filename: string;
  purpose: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Everything one emulator knows. */
export interface State {
  readonly settings: Settings;
  readonly pool: Pool;
  readonly containers: Containers;
  readonly endpoints: Endpoints;
  readonly webhooks: Webhooks;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly runs: Map<string, Run>;
  readonly conversations: Map<string, Conversation>;
  readonly uploads: Map<string, Upload>;
}

/** An emulator's beginning: nothing has happened yet. */
export function begin(settings: Settings): State {
  const pool = new Pool(settings.interpreters);
  const endpoints = new Endpoints();
  return {
    settings,
    pool,
    containers: new Containers(settings, pool),
    endpoints,
    webhooks: new Webhooks(settings, endpoints),
    journal: new Journal(settings),
    faults: new Faults(),
    runs: new Map(),
    conversations: new Map(),
    uploads: new Map(),
  };
}

/** Ends everything that is under way. */
export async function end(state: State): Promise<void> {
  for (const run of state.runs.values()) run.abort.abort();
  state.webhooks.close();
  await state.pool.close();
}
