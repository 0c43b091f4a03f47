// What a page says of the last attempt to report a run's end.
import { isDelivered } from "../../record/notification.ts";
import type { Notification } from "../../record/schema.ts";
import { formatTime } from "./format.ts";

/** The last attempt to report a run's end to NOTIFY_URL, as text. */
export function describeNotification({ at, status, next_at }: Notification): string {
  if (isDelivered(status)) return `delivered ${formatTime(at)}`;
  const answer = status === null ? "no answer" : `answered ${status}`;
  const next = next_at === null ? "given up" : `next attempt ${formatTime(next_at)}`;
  return `${answer} ${formatTime(at)}; ${next}`;
}
