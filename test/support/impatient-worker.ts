// The Worker that gives runs up within seconds, and asks for the status of a run in flight every two seconds.

/** Its entry, relative to the project's folder. */
export const IMPATIENT_WORKER = "test/support/impatient-worker/index.ts";

/** After so many seconds of 404 a response that was seen is gone, after fewer when its connection broke. */
export const GONE_SECONDS = 6;
export const GONE_AFTER_SIGNAL_SECONDS = 2;
/** A run without an end is abandoned after so many seconds. */
export const ABANDON_SECONDS = 12;
/** While a reader waits the status is asked for once in so many seconds. */
export const STATUS_CHECK_SECONDS = 2;
