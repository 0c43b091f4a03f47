// Sends the report of a run's end to NOTIFY_URL.
import { readNotifyTarget } from "../../config.ts";
import { sha256Hex } from "../../lib/sha256.ts";
import { signWebhook } from "../../lib/standard-webhooks.ts";
import { withLog } from "../../log.ts";
import { isDelivered, type NotificationEvent } from "../../record/notification.ts";
import type { StoredRecord } from "../../record/schema.ts";
import { version } from "../../../package.json";

/** Hexadecimal digits of an event's id. */
const EVENT_ID_DIGITS = 32;

/**
 * Makes one attempt.
 * @returns The receiver's HTTP status. A redirect is not followed: it would take the event where no setting leads.
 * @throws When the receiver did not answer.
 */
export async function notify(
  env: Env,
  record: StoredRecord,
  event: NotificationEvent,
  signal: AbortSignal,
): Promise<number> {
  const target = readNotifyTarget(env);
  if (target === null) throw new Error("NOTIFY_URL is not set any more.");
  const { origin } = new URL(target.url);
  return withLog(
    "notify",
    { id: record.id, type: event.type, to: origin },
    async () => {
      const id = await toEventId(record);
      const body = JSON.stringify({ id, object: "event", ...event });
      const timestamp = Math.floor(Date.now() / 1000);
      const signed = await signWebhook({ id, timestamp, body }, target.secret);
      return post(target.url, body, signed, signal);
    },
    (status) => ({ outcome: isDelivered(status) ? "delivered" : "refused", http_status: status }),
  );
}

// A later life of the same response id has another one: the record was deleted, and the receiver may want to know it again.
async function toEventId({ id, started_at }: StoredRecord): Promise<string> {
  const digest = await sha256Hex(`${started_at} ${id}`);
  return `evt_${digest.slice(0, EVENT_ID_DIGITS)}`;
}

async function post(
  url: string,
  body: string,
  signed: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  const headers = {
    "content-type": "application/json",
    "user-agent": `response-recorder/${version}`,
    ...signed,
  };
  try {
    const init = { method: "POST", redirect: "manual", headers, body, signal } as const;
    const answer = await fetch(url, init);
    await answer.body?.cancel();
    return answer.status;
  } catch {
    // The cause is left out, because it can name the URL, which can have credentials.
    throw new Error("The receiver at NOTIFY_URL could not be reached, or did not answer in time.");
  }
}
