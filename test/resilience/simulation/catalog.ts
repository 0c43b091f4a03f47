// A stand-in for the Catalog: rows with versions, and the runs that are overdue.
import type { Clock } from "./clock.ts";

const CRON_SECONDS = 300;
/** A removed row is remembered by its version, so that an upsert that arrives later is ignored. */
type Row = { version: number; dueMs: number; status: string | null; verdict: string } | null;

/** The Catalog, as one run sees it. */
export class Catalog {
  row: Row = null;
  upserts = 0;
  pokes = 0;
  readonly #clock: Clock;
  readonly #poke: () => void;
  #version = 0;
  #cancelCron: (() => void) | null = null;

  /** @param poke Pokes the run's Recorder. */
  constructor(clock: Clock, poke: () => void) {
    this.#clock = clock;
    this.#poke = poke;
  }

  /** Adds or replaces the row; a lower version is ignored. */
  upsert(row: NonNullable<Row>): void {
    if (row.version < this.#version) return;
    this.#version = row.version;
    this.row = row;
    this.upserts += 1;
    this.#plan();
  }

  /** Removes the row; a lower version is ignored. */
  remove(version: number): void {
    if (version < this.#version) return;
    this.#version = version;
    this.row = null;
    this.#plan();
  }

  // Cron comes every five minutes; only its call after the row is overdue matters.
  #plan(): void {
    this.#cancelCron?.();
    this.#cancelCron = null;
    if (this.row === null) return;
    const waitMs = Math.max(0, this.row.dueMs - this.#clock.now);
    const cron = CRON_SECONDS - (this.#clock.seconds % CRON_SECONDS);
    const rounds = Math.ceil(Math.max(0, waitMs / 1000 - cron) / CRON_SECONDS);
    this.#cancelCron = this.#clock.after(cron + rounds * CRON_SECONDS, () => {
      this.pokes += 1;
      this.#plan();
      this.#poke();
    });
  }
}
