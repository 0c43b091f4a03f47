// The Catalog's idempotency keys: the statements behind its calls.
import * as z from "zod";
import { KEY_LIFETIME_MS, KeyAnswer, type KeyClaim, type StoredKey } from "./idempotency.ts";

/** Keys that one sweep removes at most. */
const MAX_SWEPT_KEYS = 500;

const KeyRow = z.object({
  digest: z.string(),
  claimant: z.string(),
  claimed_at: z.number(),
  answer: z.string().nullable(),
});

/** Reads a key. */
export function findKey(sql: SqlStorage, key: string): StoredKey | null {
  const [row] = sql
    .exec("SELECT digest, claimant, claimed_at, answer FROM keys WHERE key = ?", key)
    .toArray();
  if (row === undefined) return null;
  const { digest, claimant, claimed_at, answer } = KeyRow.parse(row);
  const parsed = answer === null ? null : KeyAnswer.parse(JSON.parse(answer));
  return { digest, claimant, atMs: claimed_at, answer: parsed };
}

/** Writes a claim in place of whatever the key had. */
export function putClaim(sql: SqlStorage, { key, digest, claimant, atMs }: KeyClaim): void {
  sql.exec(
    "INSERT OR REPLACE INTO keys (key, digest, claimant, claimed_at, answer) VALUES (?, ?, ?, ?, NULL)",
    key,
    digest,
    claimant,
    atMs,
  );
}

/** Writes the answer of the claimant; that of any other request is ignored. */
export function putAnswer(sql: SqlStorage, key: string, claimant: string, answer: KeyAnswer): void {
  sql.exec(
    "UPDATE keys SET answer = ? WHERE key = ? AND claimant = ?",
    JSON.stringify(answer),
    key,
    claimant,
  );
}

/** Removes the key of a claimant. */
export function deleteKey(sql: SqlStorage, key: string, claimant: string): void {
  sql.exec("DELETE FROM keys WHERE key = ? AND claimant = ?", key, claimant);
}

/** Removes keys that are older than a day. It reads each key of the last day, which costs less than an index, whose entry is a written row. */
export function sweepKeys(sql: SqlStorage, nowMs: number): void {
  sql.exec(
    "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE claimed_at <= ? LIMIT ?)",
    nowMs - KEY_LIFETIME_MS,
    MAX_SWEPT_KEYS,
  );
}
