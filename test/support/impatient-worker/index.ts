// The Worker as it is, with Recorders that give runs up within seconds, in place of minutes and a day.
import { Recorder as RealRecorder } from "../../../src/index.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import {
  ABANDON_SECONDS,
  GONE_AFTER_SIGNAL_SECONDS,
  GONE_SECONDS,
  STATUS_CHECK_SECONDS,
} from "../impatient-worker.ts";

export { Catalog, Connection, default } from "../../../src/index.ts";

const SHORT_LIMITS = {
  abandon_after_seconds: ABANDON_SECONDS,
  gone_after_seconds: GONE_SECONDS,
  gone_after_signal_seconds: GONE_AFTER_SIGNAL_SECONDS,
  status_check_seconds: STATUS_CHECK_SECONDS,
};

function shorten(params: RecorderParams): RecorderParams {
  const limits = { ...params.policy.limits, ...SHORT_LIMITS };
  return { ...params, policy: { ...params.policy, limits } };
}

export class Recorder extends RealRecorder {
  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    return super.start(shorten(params));
  }

  override webhook(params: RecorderParams): ReturnType<RealRecorder["webhook"]> {
    return super.webhook(shorten(params));
  }

  override connectionEnded(params: RecorderParams): ReturnType<RealRecorder["connectionEnded"]> {
    return super.connectionEnded(shorten(params));
  }
}
