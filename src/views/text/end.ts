// When a run ended.
import { isTerminal } from "../../record/reducer.ts";
import type { ResponseRecord } from "../../record/schema.ts";

/** When a run ended, in ISO 8601; null before. OpenAI gives the time only of completed responses: the end of others is when it was reported, or first seen. */
export function findEndTime(
  record: Pick<ResponseRecord, "completed_at" | "verdict" | "status" | "webhook" | "observations">,
): string | null {
  if (record.completed_at !== null) return record.completed_at;
  if (record.verdict === "pending" || !isTerminal(record.status)) return null;
  const seen = record.observations.find(
    (one) => isTerminal(one.status) && one.channel !== "control",
  );
  const times = [record.webhook?.received_at, seen?.at].filter((at) => at !== undefined);
  return times.toSorted()[0] ?? null;
}
