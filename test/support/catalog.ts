// The Worker's Catalog, called directly: for rows that no run of a test would have, and for times that no test waits for.
import type { ClaimResult, KeyClaim } from "../../src/objects/catalog/idempotency.ts";
import type { RunKey } from "../../src/objects/catalog/position.ts";
import type { CatalogEntry, CatalogRow } from "../../src/objects/catalog/row.ts";
import type { EmulatorSettings } from "./emulator-client.ts";
import { startWorld, type World } from "./world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The calls of the Catalog that tests make. */
export type CatalogClient = {
  upsert(entry: CatalogEntry, version: number): Promise<void>;
  remove(run: RunKey, version: number): Promise<void>;
  overdue(limit: number, nowMs: number): Promise<string[]>;
  claim(claim: KeyClaim): Promise<ClaimResult>;
};

/** The calls of the Catalog in `test/support/catalog-worker`. */
export type TestCatalogClient = CatalogClient & {
  takeRowsWritten(): Promise<number>;
  runSql(statement: string): Promise<void>;
  restart(): Promise<void>;
  setDown(isDown: boolean): Promise<void>;
  failRemovals(times: number): Promise<void>;
};

/** The calls of the Recorder in `test/support/catalog-worker`. */
export type TestRecorderClient = {
  loseAlarm(): Promise<void>;
  isBodyInKv(): Promise<boolean>;
  vanish(): Promise<void>;
};

type Bindings = {
  RECORDER: { idFromName(name: string): unknown; get(id: unknown): TestRecorderClient };
  CATALOG: { idFromName(name: string): unknown; get(id: unknown): TestCatalogClient };
};

/** Returns the Catalog of a world. */
export function getCatalog(world: World): Promise<CatalogClient> {
  return getTestCatalog(world);
}

/** Starts a world whose Catalog counts its rows and can be taken down. */
export function startCatalogWorld(
  settings: EmulatorSettings = {},
  vars: Record<string, string> = {},
): Promise<World> {
  const main = "test/support/catalog-worker/index.ts";
  return startWorld(settings, { REFETCH_DELAYS: "0", ...vars }, {}, { main });
}

/** Returns the Catalog of such a world. */
export async function getTestCatalog(world: World): Promise<TestCatalogClient> {
  const { CATALOG } = await world.worker.getWorker<Bindings>().getEnv();
  return CATALOG.get(CATALOG.idFromName("catalog"));
}

/** Returns a run's Recorder of such a world. */
export async function getTestRecorder(world: World, id: string): Promise<TestRecorderClient> {
  const { RECORDER } = await world.worker.getWorker<Bindings>().getEnv();
  return RECORDER.get(RECORDER.idFromName(id));
}

/** A run that is captured and settled, except for what is given. */
export function createEntry(
  row: Partial<CatalogRow> & { id: string },
  entry: Partial<Omit<CatalogEntry, "row">> = {},
): CatalogEntry {
  const startedAtMs = entry.startedAtMs ?? Date.now();
  return {
    row: {
      status: "completed",
      verdict: "captured",
      model: "gpt-test",
      created_at: new Date(startedAtMs).toISOString(),
      completed_at: null,
      calls: 1,
      first_line: "",
      held: false,
      started_by: "trigger",
      metadata: {},
      ...row,
    },
    startedAtMs,
    expiresAtMs: Date.now() + DAY_MS,
    dueAtMs: null,
    text: null,
    ...entry,
  };
}
