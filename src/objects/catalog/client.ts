// Calls to the Catalog. Each of them can be repeated: rows carry a version, and a key's claim names its claimant.
import { Problem } from "../../errors.ts";
import { retry } from "../../lib/retry.ts";
import { sha256Hex } from "../../lib/sha256.ts";
import { logFailure } from "../../log.ts";
import type { Catalog } from "./catalog.ts";
import type { RunFilter } from "./filter.ts";
import type { CatalogHealth } from "./health.ts";
import type { ClaimResult, KeyAnswer, KeyClaim } from "./idempotency.ts";
import { decodeCursor, encodeCursor, type RunKey } from "./position.ts";
import type { CatalogEntry, ListRow, Overview } from "./row.ts";
import type { RunPage } from "./runs.ts";
import type { CatalogStats } from "./groups.ts";

/** One page of the list, newest first; the cursor is null on the last page. The overview is null when it was not wanted. */
export type ListPage = { rows: ListRow[]; cursor: string | null; overview: Overview | null };

/** Milliseconds between attempts to reach the Catalog. An object that restarts is back in less than a second. */
const RETRY_MS = [50, 250, 1_000];

/**
 * One page of the runs that a filter lets through, newest first.
 * @param cursor The cursor of the page before; null for the first.
 * @param withOverview Whether the runs of all pages are counted.
 * @throws Problem 400 `bad_cursor` for any other cursor.
 */
export async function listRuns(
  env: Env,
  filter: RunFilter,
  cursor: string | null,
  limit: number,
  withOverview = false,
): Promise<ListPage> {
  const before = cursor === null ? null : decodeCursor(cursor);
  if (cursor !== null && before === null) throw badCursor();
  const page: RunPage = await call(env, (catalog) =>
    catalog.list(filter, before, limit, withOverview),
  );
  const { rows, next, overview = null } = page;
  return { rows, cursor: next === null ? null : encodeCursor(next), overview };
}

/** What the statistics are made of: of the runs whose recording began on one of the last days, today included. */
export async function readRunStats(env: Env, days: number, nowMs: number): Promise<CatalogStats> {
  return call(env, (catalog) => catalog.stats(days, nowMs));
}

/** What the Catalog knows of the recorder's health. */
export async function readCatalogHealth(env: Env): Promise<CatalogHealth> {
  return call(env, async (catalog) => await catalog.health());
}

/** Adds a run to the list, or replaces its row there. */
export async function upsertRun(env: Env, entry: CatalogEntry, version: number): Promise<void> {
  await call(env, (catalog) => catalog.upsert(entry, version));
}

/** Removes a run from the list. */
export async function removeRun(env: Env, run: RunKey, version: number): Promise<void> {
  await call(env, (catalog) => catalog.remove(run, version));
}

/** The ids of runs that should have reported, the longest overdue first. */
export async function takeOverdueRuns(env: Env, limit: number, nowMs: number): Promise<string[]> {
  return call(env, (catalog) => catalog.overdue(limit, nowMs));
}

/** A key that this request has claimed, or that another has. */
export type IdempotencyKey = Omit<KeyClaim, "atMs">;

/**
 * The key of a request, under a new claimant.
 * @param key The caller's key.
 * @param body The request's body.
 */
export async function toIdempotencyKey(key: string, body: string): Promise<IdempotencyKey> {
  const [hash, digest] = await Promise.all([sha256Hex(key), sha256Hex(body)]);
  return { key: hash, digest, claimant: crypto.randomUUID() };
}

/** Claims a key. */
export async function claimKey(env: Env, key: IdempotencyKey): Promise<ClaimResult> {
  return call(env, async (catalog) => await catalog.claim({ ...key, atMs: Date.now() }));
}

/** Stores what the request with a key came to; null when nothing was started, so that the key can be used again. */
export async function answerKey(
  env: Env,
  { key, claimant }: IdempotencyKey,
  answer: KeyAnswer | null,
): Promise<void> {
  await call(env, (catalog) =>
    answer === null ? catalog.release(key, claimant) : catalog.answer(key, claimant, answer),
  );
}

function call<T>(
  env: Env,
  request: (catalog: DurableObjectStub<Catalog>) => Promise<T>,
): Promise<T> {
  // A stub that failed is of no use any more. https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
  return retry(
    RETRY_MS,
    () => request(env.CATALOG.get(env.CATALOG.idFromName("catalog"))),
    (error) => logFailure("catalog", error, {}),
  );
}

function badCursor(): Problem {
  const message = "The cursor is not one that the list or an export returned. Start without it.";
  return new Problem("bad_cursor", message);
}
