// What it means that OpenAI answers 404: for a moment a response that has ended can't be found, and some are never found again. Pure.
import type { Policy } from "../policy.ts";
import { connectionChannel, runObservations } from "./observations.ts";
import type { StoredRecord } from "../schema.ts";

/** From the first to the last 404 since the response was seen, in milliseconds since 1970. */
export type Absence = { sinceMs: number; untilMs: number };

/**
 * How long OpenAI has not had the response. Answers that say nothing of it, such as a 500 or a page of a gateway's, end no absence.
 * @returns Null when OpenAI had it at last, or never answered with 404.
 */
export function findAbsence(record: StoredRecord): Absence | null {
  const observations = runObservations(record);
  // Before the end the other channels are the run's own Connection.
  const seen = observations.findLastIndex(
    ({ channel, status }) => channel !== "refetch" || status !== null,
  );
  const missing = observations.slice(seen + 1).filter(({ http_status }) => http_status === 404);
  const times = missing.map(({ at }) => Date.parse(at));
  const [sinceMs, untilMs] = [times[0], times.at(-1)];
  return sinceMs === undefined || untilMs === undefined ? null : { sinceMs, untilMs };
}

/** Whether OpenAI, or the answer to a create, ever showed the response. */
export function wasSeen(record: StoredRecord): boolean {
  if (record.status !== null) return true;
  return runObservations(record).some(({ http_status }) => http_status === 200);
}

/**
 * When an absence counts as final, if it lasts until then. After a webhook, or a break of the run's Connection, the end is near, so it lasts for a shorter time.
 * @returns Milliseconds since 1970.
 */
export function endOfAbsenceMs(
  record: StoredRecord,
  { sinceMs }: Absence,
  { limits }: Policy,
): number {
  if (!wasSeen(record)) return sinceMs + limits.not_found_after_seconds * 1000;
  const plainMs = sinceMs + limits.gone_after_seconds * 1000;
  const signalMs = lastSignalMs(record);
  if (signalMs === null) return plainMs;
  const nearMs = Math.max(sinceMs, signalMs) + limits.gone_after_signal_seconds * 1000;
  return Math.min(plainMs, nearMs);
}

/**
 * The last webhook, or the end of the run's Connection.
 * @returns Milliseconds since 1970, or null.
 */
export function lastSignalMs(record: StoredRecord): number | null {
  const { webhook, connection, observations } = record;
  const channel = connection === null ? null : connectionChannel(record);
  const ended = observations.findLast((seen) => seen.channel === channel)?.at;
  const signals = [webhook?.received_at, ended].flatMap((at) =>
    at === undefined ? [] : [Date.parse(at)],
  );
  return signals.length === 0 ? null : Math.max(...signals);
}
