// What the checks of the recorder's health found, and what to do about it.
import * as z from "zod";
import type { CatalogHealth, RecentRun } from "../../objects/catalog/health.ts";
import { DEFAULT_LIMITS } from "../../record/policy.ts";

const MINUTE_MS = 60 * 1000;
/** A webhook that is later than this counts as missing. */
const WEBHOOK_GRACE_MS = 5 * MINUTE_MS;
/** So many runs in a row without their webhook are no accident. */
const MISSING_WEBHOOKS = 3;
/** A run is given up after a day; its Recorder may take this much longer. */
const PENDING_GRACE_MS = 60 * MINUTE_MS;

/** One check. */
export const HealthCheck = z.object({
  ok: z.boolean(),
  message: z.string().describe("What was found, and when it failed, what to do"),
  at: z.iso.datetime().nullable().describe("The moment that the message is about"),
  id: z.string().nullable().describe("The response that the message is about"),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** Every check, by its name. */
export const HealthChecks = z.object({
  openai_key: HealthCheck,
  openai_containers: HealthCheck,
  webhooks: HealthCheck,
  pending: HealthCheck,
  notifications: HealthCheck,
  kv: HealthCheck,
  objects: HealthCheck,
});
export type HealthChecks = z.infer<typeof HealthChecks>;

type Details = { atMs?: number | null; id?: string | null };

/** A check that passed. */
export function passed(message: string, details: Details = {}): HealthCheck {
  return toCheck(true, message, details);
}

/** A check that failed. The message says what to do. */
export function failed(message: string, details: Details = {}): HealthCheck {
  return toCheck(false, message, details);
}

function toCheck(ok: boolean, message: string, { atMs = null, id = null }: Details): HealthCheck {
  return { ok, message, at: atMs === null ? null : new Date(atMs).toISOString(), id };
}

/**
 * Whether OpenAI's webhooks come. Held runs have none, and neither has a response that ended before somebody asked for its id.
 * @param recent The newest runs, the newest first.
 */
export function checkWebhooks(recent: RecentRun[], nowMs: number): HealthCheck {
  const webhooks = recent.flatMap((run) => (run.webhook_at === null ? [] : [run.webhook_at]));
  const atMs = webhooks.length === 0 ? null : Math.max(...webhooks);
  const reported = recent.filter((run) => awaitsWebhook(run, nowMs)).slice(0, MISSING_WEBHOOKS);
  const [newest] = reported;
  if (newest !== undefined && reported.every((run) => run.webhook_at === null)) {
    const message = `No webhook came for the last background runs that ended (${reported.length}); they were refetched without it. Check that an endpoint in OpenAI's dashboard has this Worker's URL and /webhook, or run npm run deploy. Refused webhooks are in the log: event webhook, outcome bad_webhook.`;
    return failed(message, { atMs, id: newest.id });
  }
  if (atMs !== null) return passed("Webhooks arrive.", { atMs });
  return passed("No webhook was recorded of late, and no run that should have had one.");
}

function awaitsWebhook({ held, started_by, completed_at }: RecentRun, nowMs: number): boolean {
  if (held || started_by === "refetch" || completed_at === null) return false;
  return Date.parse(completed_at) < nowMs - WEBHOOK_GRACE_MS;
}

/** Whether the oldest run in flight should have ended by now. */
export function checkPending(
  { oldestPending }: Pick<CatalogHealth, "oldestPending">,
  nowMs: number,
): HealthCheck {
  if (oldestPending === null) return passed("No run is in flight.");
  const { id, startedAtMs: atMs } = oldestPending;
  const limitMs = DEFAULT_LIMITS.abandon_after_seconds * 1000 + PENDING_GRACE_MS;
  if (nowMs - atMs <= limitMs) return passed("No run is in flight for too long.", { atMs, id });
  const message = `The oldest run in flight should have been given up. POST /results/${id}/refetch, and search the log for its id.`;
  return failed(message, { atMs, id });
}

/** Whether ends of runs can be reported. */
export function checkNotifications(
  { failingNotifications: { count, newest: id } }: Pick<CatalogHealth, "failingNotifications">,
  isConfigured: boolean,
): HealthCheck {
  if (count > 0) {
    const message = `NOTIFY_URL did not take the report of ${count} ${count === 1 ? "run" : "runs"}. The newest one's record says under notification what the receiver answered, and when it is tried again.`;
    return failed(message, { id });
  }
  return passed(
    isConfigured
      ? "No report of a run's end is waiting for NOTIFY_URL."
      : "NOTIFY_URL is not set: no run's end is reported.",
  );
}
