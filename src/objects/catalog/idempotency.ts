// Idempotency keys: what a claim comes to. Pure: no I/O, no clock.
import * as z from "zod";

/** A key holds for a day. */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
/** A claim without an answer is in progress for so long. Then its request has died, and it is not known whether it started a run. */
export const CLAIM_TIMEOUT_MS = 90_000;

/** What a request with a key came to: a run, or a failure after which one may exist. */
export const KeyAnswer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("started"), id: z.string(), status: z.string() }),
  z.object({
    kind: z.literal("failed"),
    code: z.enum(["may_have_started", "handover_failed"]),
    message: z.string(),
    id: z.string().nullable(),
    request_id: z.string().nullable(),
  }),
]);
export type KeyAnswer = z.infer<typeof KeyAnswer>;

/** A request that wants to be the only one with its key. */
export type KeyClaim = {
  /** SHA-256 of the key. */
  key: string;
  /** SHA-256 of the request's body. */
  digest: string;
  /** A random name of the request, so that it recognises its own claim. */
  claimant: string;
  atMs: number;
};

/** A key as it is stored. */
export type StoredKey = Omit<KeyClaim, "key"> & { answer: KeyAnswer | null };

export type ClaimResult =
  /** The request is the first: it starts a run, and answers or releases the key. */
  | { kind: "claimed" }
  | { kind: "answered"; answer: KeyAnswer }
  | { kind: "in_progress" | "may_have_started" | "key_reused" };

/**
 * Decides what a claim comes to.
 * @param stored The key as it is stored; null when it is not.
 */
export function decideClaim(stored: StoredKey | null, claim: Omit<KeyClaim, "key">): ClaimResult {
  if (stored === null || isKeyExpired(stored.atMs, claim.atMs)) return { kind: "claimed" };
  if (stored.digest !== claim.digest) return { kind: "key_reused" };
  if (stored.answer !== null) return { kind: "answered", answer: stored.answer };
  if (stored.claimant === claim.claimant) return { kind: "claimed" };
  const isRecent = claim.atMs - stored.atMs < CLAIM_TIMEOUT_MS;
  return { kind: isRecent ? "in_progress" : "may_have_started" };
}

/** Whether a key that was claimed at a time does not hold any more. */
export function isKeyExpired(claimedAtMs: number, nowMs: number): boolean {
  return nowMs - claimedAtMs >= KEY_LIFETIME_MS;
}
