// Made-up runs for the list: of every kind, in proportions that can be, and always the same.
import type { CatalogEntry, CatalogRow } from "../../src/objects/catalog/row.ts";

/** Older than every run of the benchmark, so that the list has the seeds last. */
export const NEWEST_SEED_MS = Date.parse("2020-01-01T00:00:00Z");
const MINUTE_MS = 60 * 1000;
const RUN_MS = 20_000;

/** Each has one run in a hundred; the other runs are captured. */
const RARE_VERDICTS = ["lost", "suspect", "silent", "no_calls", "recovered"] as const;
/** One run in so many can be found by the word "seldom", the others by the word "usual". */
const SELDOM = 1_000;
const WORDS_PER_TEXT = 40;
const VOCABULARY = 5_000;
const CONSONANTS = "bdfghklmnprstv";
const VOWELS = "aeiou";

/** The run with a number: run 0 is the newest, and each is a minute older than the one before. */
export function toSeed(n: number): Omit<CatalogEntry, "expiresAtMs"> {
  const startedAtMs = NEWEST_SEED_MS - n * MINUTE_MS;
  const verdict = toVerdict(n);
  const row: CatalogRow = {
    id: `resp_${String(n).padStart(48, "0")}`,
    verdict,
    status: verdict === "no_calls" ? "failed" : "completed",
    model: `gpt-bench-${n % 5}`,
    created_at: new Date(startedAtMs).toISOString(),
    completed_at: new Date(startedAtMs + RUN_MS).toISOString(),
    calls: 1,
    first_line: `Compute the number ${n}, and print it to the log with its factors`,
    held: n % 50 === 0,
    started_by: n % 4 === 0 ? "trigger" : "v1",
    metadata: {
      customer: `customer-${n % 1_000}`,
      environment: n % 3 === 0 ? "staging" : "production",
      trace: `${n * 7_919}-${n * 104_729}`,
    },
  };
  const words = Array.from({ length: WORDS_PER_TEXT }, (_, index) => toWord(n, index));
  const text = [row.first_line, ...words, n % SELDOM === 0 ? "seldom" : "usual"].join(" ");
  return { row, startedAtMs, dueAtMs: null, text };
}

function toVerdict(n: number): CatalogRow["verdict"] {
  if (n % 20 !== 0) return "captured";
  return RARE_VERDICTS[(n / 20) % RARE_VERDICTS.length] ?? "captured";
}

function toWord(n: number, index: number): string {
  let rest = (n * 7_919 + index * 104_729 + n * index) % VOCABULARY;
  let word = "";
  for (let syllable = 0; syllable < 3; syllable += 1) {
    word += CONSONANTS[rest % CONSONANTS.length] ?? "";
    rest = Math.floor(rest / CONSONANTS.length);
    word += VOWELS[rest % VOWELS.length] ?? "";
    rest = Math.floor(rest / VOWELS.length) + syllable;
  }
  return word;
}
