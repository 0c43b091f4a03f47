import { isDelivered } from "../../record/notification.ts";
import type { Notification as Attempt } from "../../record/schema.ts";
import { Time } from "../components/time.tsx";

/** The last attempt to report a run's end to NOTIFY_URL. */
export function Notification({ attempt }: { attempt: Attempt }) {
  const { at, status, next_at: nextAt } = attempt;
  if (isDelivered(status)) {
    return (
      <>
        delivered <Time at={at} />
      </>
    );
  }
  return (
    <>
      {status === null ? "no answer" : `answered ${status}`} <Time at={at} />;{" "}
      {nextAt === null ? (
        "given up"
      ) : (
        <>
          next attempt <Time at={nextAt} />
        </>
      )}
    </>
  );
}
