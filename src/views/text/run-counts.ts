// How many runs there are, in words.
import type { Overview } from "../../objects/catalog/row.ts";
import type { RunVerdict } from "../../record/schema.ts";

/** A whole number with its thousands apart. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** How many runs a filter lets through, of its verdict or of all, as `34 runs` or `more than 10,000 runs`. */
export function describeTotal(
  { counted, hasMore, verdicts }: Overview,
  verdict: RunVerdict | undefined,
): string {
  if (verdict === undefined) {
    return hasMore ? `more than ${formatCount(counted - 1)} runs` : toRuns(counted);
  }
  const none = { count: 0, isAtLeast: hasMore };
  const { count, isAtLeast } = verdicts.find((one) => one.verdict === verdict) ?? none;
  return isAtLeast ? `at least ${toRuns(count)}` : toRuns(count);
}

function toRuns(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "run" : "runs"}`;
}

/** A verdict of the list and how many runs have it; an empty text where that is not known. */
export type ShownVerdict = { verdict: RunVerdict; count: string };

/**
 * The verdicts that are offered as filters: those that a run has or can have.
 * @param overview Null offers all, without numbers.
 * @param chosen The filter's own verdict, which is always among them.
 */
export function listVerdicts(
  options: readonly RunVerdict[],
  overview: Overview | null,
  chosen: RunVerdict | undefined,
): ShownVerdict[] {
  return options.flatMap((verdict) => {
    const count = toVerdictCount(overview, verdict);
    return count === "0" && verdict !== chosen ? [] : [{ verdict, count }];
  });
}

// In a part of the runs that has none of them, a verdict can still be that of others.
function toVerdictCount(overview: Overview | null, verdict: RunVerdict): string {
  if (overview === null) return "";
  const found = overview.verdicts.find((one) => one.verdict === verdict);
  if (found === undefined) return overview.hasMore ? "" : "0";
  if (!found.isAtLeast) return formatCount(found.count);
  return found.count === 0 ? "" : `${formatCount(found.count)}+`;
}
