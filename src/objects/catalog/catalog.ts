// One object with a row for each run, to list, filter and search them, and with the idempotency keys.
import { DurableObject } from "cloudflare:workers";
import { createTables } from "./create-tables.ts";
import type { RunFilter } from "./filter.ts";
import { readHealth, type CatalogHealth } from "./health.ts";
import { decideClaim, type ClaimResult, type KeyAnswer, type KeyClaim } from "./idempotency.ts";
import { deleteKey, findKey, putAnswer, putClaim, sweepKeys } from "./keys.ts";
import type { RunKey } from "./position.ts";
import type { CatalogEntry } from "./row.ts";
import {
  buryRun,
  deleteRun,
  findSlot,
  putRun,
  readPage,
  readPageWithOverview,
  sweepRuns,
  takeOverdue,
  type RunPage,
} from "./runs.ts";
import type { CatalogStats } from "./groups.ts";
import { readStats } from "./stats.ts";

/** A Recorder's clock can be ahead of the Catalog's. */
const CLOCK_SKEW_MS = 60_000;

/** The list of runs. Of two reports of a run the one with the higher version counts, in whichever order they come. */
export class Catalog extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    createTables(this.#sql);
  }

  /**
   * Adds a run, or replaces its row. An older version than the stored one is ignored, and so is a run that has expired.
   * @param version Rises with each report of the run.
   */
  upsert(entry: CatalogEntry, version: number): void {
    if (entry.expiresAtMs <= Date.now()) return;
    this.ctx.storage.transactionSync(() => {
      const slot = findSlot(this.#sql, entry.row.id, entry.startedAtMs);
      if (slot.version !== null && slot.version >= version) return;
      putRun(this.#sql, slot.position, entry, version);
    });
  }

  /**
   * Removes a run. Leaves a tombstone, so that an upsert with a lower version does not bring the run back; a run that has expired leaves none.
   * @param version Of the same count as those of the upserts.
   */
  remove({ id, startedAtMs }: RunKey, version: number): void {
    const nowMs = Date.now();
    this.ctx.storage.transactionSync(() => {
      const slot = findSlot(this.#sql, id, startedAtMs);
      if (slot.version !== null && slot.version >= version) return;
      if (slot.expiresAtMs !== null && slot.expiresAtMs <= nowMs + CLOCK_SKEW_MS) {
        return deleteRun(this.#sql, slot.position);
      }
      buryRun(this.#sql, slot, id, version, nowMs);
    });
  }

  /**
   * One page of the list, newest first.
   * @param before The `next` of the page before; null for the first.
   * @param withOverview Whether the runs of all pages are counted. That reads up to 10,000 rows more.
   */
  list(filter: RunFilter, before: number | null, limit: number, withOverview = false): RunPage {
    const read = withOverview ? readPageWithOverview : readPage;
    return read(this.#sql, filter, before, limit);
  }

  /**
   * What the statistics are made of: of the runs whose recording began on one of the last days.
   * @param days How many, today included. Days are UTC's.
   */
  stats(days: number, nowMs: number): CatalogStats {
    return readStats(this.#sql, days, nowMs);
  }

  /** What is known of the recorder's health. */
  health(): CatalogHealth {
    return readHealth(this.#sql, Date.now());
  }

  /**
   * The runs that should have reported, the longest overdue first, each at most once in ten minutes. Cron pokes their Recorders.
   * It also removes a part of what has expired: a Recorder that died never removes its row.
   * @returns Ids.
   */
  overdue(limit: number, nowMs: number): string[] {
    return this.ctx.storage.transactionSync(() => {
      sweepKeys(this.#sql, nowMs);
      sweepRuns(this.#sql, nowMs);
      return takeOverdue(this.#sql, limit, nowMs);
    });
  }

  /** Claims an idempotency key. Nothing runs between the look at the key and the claim, so of many requests one is the first. */
  claim(claim: KeyClaim): ClaimResult {
    const stored = findKey(this.#sql, claim.key);
    const result = decideClaim(stored, claim);
    if (result.kind === "claimed" && stored?.claimant !== claim.claimant) {
      putClaim(this.#sql, claim);
    }
    return result;
  }

  /** Stores the answer that everyone with this key gets. */
  answer(key: string, claimant: string, answer: KeyAnswer): void {
    putAnswer(this.#sql, key, claimant, answer);
  }

  /** Gives a key back, because nothing was started with it. */
  release(key: string, claimant: string): void {
    deleteKey(this.#sql, key, claimant);
  }
}
