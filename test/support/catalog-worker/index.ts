// The Worker as it is, with a Catalog that counts the rows it writes, and that a test can take down, and with a Recorder that can lose its alarm.
import { Recorder as RealRecorder } from "../../../src/index.ts";
import { Catalog as RealCatalog } from "../../../src/objects/catalog/catalog.ts";

export { default, Connection } from "../../../src/index.ts";

export class Recorder extends RealRecorder {
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
