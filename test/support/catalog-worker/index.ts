// The Worker as it is, with a Catalog that counts the rows it writes, and that a test can take down, and with a Recorder that can lose its alarm.
import worker, { Recorder as RealRecorder } from "../../../src/index.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import { Catalog as RealCatalog } from "../../../src/objects/catalog/catalog.ts";
import { REFUSED_CURSOR } from "../refused-cursor.ts";
import { replaceMethod } from "../replace-method.ts";

export { Connection } from "../../../src/index.ts";

/** A body leaves its Recorder's rows after this time. */
const KEEP_ROWS_SECONDS = 1;

export class Recorder extends RealRecorder {
  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    const { policy } = params;
    const limits = { ...policy.limits, keep_rows_seconds: KEEP_ROWS_SECONDS };
    return super.start({ ...params, policy: { ...policy, limits } });
  }

  /** Whether the response's body is in KV alone. */
  async isBodyInKv(): Promise<boolean> {
    const reading = await this.read();
    return reading !== null && reading !== "unreadable" && reading.body === "kv";
  }

  /** Empties the object, and restarts it, which throws. */
  async vanish(): Promise<void> {
    await this.ctx.storage.deleteAll();
    this.ctx.abort("The Recorder has vanished.");
  }

  async loseAlarm(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
  }
}

export class Catalog extends RealCatalog {
  readonly #cursors: { rowsWritten: number }[];
  #isDown = false;
  #failingRemovals = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    const cursors: { rowsWritten: number }[] = [];
    const { sql } = ctx.storage;
    const exec = sql.exec.bind(sql);
    const value = (query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values);
      cursors.push(cursor);
      return cursor;
    };
    Object.defineProperty(sql, "exec", { value });
    super(ctx, env);
    this.#cursors = cursors;
  }

  /** Runs a statement on the Catalog's own tables. */
  runSql(statement: string): void {
    this.ctx.storage.sql.exec(statement);
  }

  /** Restarts the object, which throws. */
  async restart(): Promise<void> {
    await this.ctx.storage.sync();
    this.ctx.abort("The Catalog was restarted.");
  }

  /** The rows that were written since the last call. */
  takeRowsWritten(): number {
    return this.#cursors.splice(0).reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
  }

  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  /** The next removals fail. */
  failRemovals(times: number): void {
    this.#failingRemovals = times;
  }

  override upsert(...args: Parameters<RealCatalog["upsert"]>): void {
    this.#assertUp();
    super.upsert(...args);
  }

  override remove(...args: Parameters<RealCatalog["remove"]>): void {
    this.#assertUp();
    this.#failingRemovals -= 1;
    if (this.#failingRemovals >= 0) throw new Error("The removal failed.");
    super.remove(...args);
  }

  override health(): ReturnType<RealCatalog["health"]> {
    this.#assertUp();
    return super.health();
  }

  override claim(...args: Parameters<RealCatalog["claim"]>): ReturnType<RealCatalog["claim"]> {
    this.#assertUp();
    return super.claim(...args);
  }

  #assertUp(): void {
    if (this.#isDown) throw new Error("The Catalog is down.");
  }
}

// The local KV takes any cursor.
function refusesCursor(records: KVNamespace): KVNamespace {
  const list = async <Metadata>(options?: KVNamespaceListOptions) => {
    if (options?.cursor === REFUSED_CURSOR) throw new Error("KV LIST failed: 400 invalid cursor");
    return records.list<Metadata>(options);
  };
  return replaceMethod(records, "list", list);
}

export default {
  ...worker,
  fetch: (request, env, ctx) =>
    worker.fetch(request, { ...env, RECORDS: refusesCursor(env.RECORDS) }, ctx),
} satisfies ExportedHandler<Env>;
