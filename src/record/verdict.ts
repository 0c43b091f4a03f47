// What the evidence says. Pure.
import { analyzeNotebook } from "../python/notebook.ts";
import { PYTHON_VOCABULARY } from "../python/words/vocabulary.ts";
import type { CallVerdict, Channel, OutputState, RunVerdict, StoredCall } from "./schema.ts";

/** From the worst to the best: a run has the verdict of its worst call. */
const WORST_FIRST: readonly CallVerdict[] = ["lost", "suspect", "recovered", "captured", "silent"];

/**
 * Why running this code should have shown something.
 * @param code Python, or null when OpenAI sent none.
 * @returns The reason in a few words, or null.
 */
export function outputReason(code: string | null): string | null {
  const [finding] = analyzeNotebook([{ code, isWhole: true }], true, PYTHON_VOCABULARY);
  return finding?.reason ?? null;
}

/** Channels that show a run as those see it who ask for it. What another channel has was recovered. */
const PLAIN_CHANNELS: ReadonlySet<Channel> = new Set(["refetch", "held"]);

/**
 * The verdict of one call.
 * @param source The channel that had its outputs, or null.
 * @param isFirst Whether that was the first observation after the response's end, and showed the whole response.
 */
export function callVerdict(
  call: { code: string | null; state: OutputState },
  source: Channel | null,
  isFirst: boolean,
): CallVerdict {
  if (source !== null) {
    return isFirst && PLAIN_CHANNELS.has(source) ? "captured" : "recovered";
  }
  return outputReason(call.code) === null ? "silent" : "suspect";
}

/**
 * The verdict of a run: its worst call's.
 * @param record Its calls, and the verdict so far.
 * @param hasEnded Whether an observation saw the response's end.
 */
export function runVerdict(
  record: { verdict: RunVerdict; calls: StoredCall[] },
  hasEnded: boolean,
): RunVerdict {
  if (!hasEnded) return record.verdict;
  const verdicts = new Set(record.calls.map((call) => call.verdict));
  return WORST_FIRST.find((verdict) => verdicts.has(verdict)) ?? "no_calls";
}
