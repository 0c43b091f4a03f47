import { expect, test } from "vitest";
import {
  CLAIM_TIMEOUT_MS,
  decideClaim,
  KEY_LIFETIME_MS,
  type ClaimResult,
  type KeyAnswer,
  type StoredKey,
} from "../../../../src/objects/catalog/idempotency.ts";

const ANSWER: KeyAnswer = { kind: "started", id: "resp_1", status: "queued" };
const AT_MS = 1_000_000;
const CLAIMED: StoredKey = { digest: "body", claimant: "first", atMs: AT_MS, answer: null };
const ANSWERED: StoredKey = { ...CLAIMED, answer: ANSWER };

type Claim = Parameters<typeof decideClaim>[1];

function claimAfter(ms: number, more: Partial<Claim> = {}): Claim {
  return { digest: "body", claimant: "second", atMs: AT_MS + ms, ...more };
}

const CASES: [string, StoredKey | null, Claim, ClaimResult][] = [
  ["a new key is claimed", null, claimAfter(0), { kind: "claimed" }],
  [
    "a claim that is sent twice stays claimed",
    CLAIMED,
    claimAfter(5, { claimant: "first" }),
    { kind: "claimed" },
  ],
  ["a key without an answer is in progress", CLAIMED, claimAfter(0), { kind: "in_progress" }],
  ["a clock that is behind changes nothing", CLAIMED, claimAfter(-5_000), { kind: "in_progress" }],
  [
    "it is in progress for 90 s",
    CLAIMED,
    claimAfter(CLAIM_TIMEOUT_MS - 1),
    { kind: "in_progress" },
  ],
  [
    "after 90 s it may have started a run",
    CLAIMED,
    claimAfter(CLAIM_TIMEOUT_MS),
    { kind: "may_have_started" },
  ],
  [
    "and for the rest of the day",
    CLAIMED,
    claimAfter(KEY_LIFETIME_MS - 1),
    { kind: "may_have_started" },
  ],
  ["after a day the key is free", CLAIMED, claimAfter(KEY_LIFETIME_MS), { kind: "claimed" }],
  [
    "an answered key gives its answer",
    ANSWERED,
    claimAfter(5),
    { kind: "answered", answer: ANSWER },
  ],
  [
    "also to the request that has claimed it",
    ANSWERED,
    claimAfter(5, { claimant: "first" }),
    { kind: "answered", answer: ANSWER },
  ],
  ["for a day", ANSWERED, claimAfter(KEY_LIFETIME_MS - 1), { kind: "answered", answer: ANSWER }],
  [
    "and then it is free",
    ANSWERED,
    claimAfter(KEY_LIFETIME_MS, { digest: "other" }),
    { kind: "claimed" },
  ],
  [
    "another body is refused while in progress",
    CLAIMED,
    claimAfter(5, { digest: "other" }),
    { kind: "key_reused" },
  ],
  [
    "another body is refused after the answer",
    ANSWERED,
    claimAfter(5, { digest: "other" }),
    { kind: "key_reused" },
  ],
];

test.each(CASES)("decideClaim: %s", (_, stored, claim, result) => {
  expect(decideClaim(stored, claim)).toEqual(result);
});
