// The limits of runs, shortened.
import type { ConnectionParams } from "../../../../src/record/connection/state.ts";
import type { Limits, Policy } from "../../../../src/record/policy.ts";

/** In seconds. */
const SHORT_LIMITS: Partial<Limits> = {
  poll_while_connected_seconds: 15,
  connection_report_seconds: 10,
  gone_after_seconds: 20,
  gone_after_signal_seconds: 8,
  control_open_seconds: 15,
  control_timeout_seconds: 60,
  // Bodies are read from KV soon.
  keep_rows_seconds: 2,
  erase_again_seconds: 20,
};

/** What a Connection is opened with, with shorter limits. */
export function withShortLimits(params: ConnectionParams): ConnectionParams {
  if (params.kind === "control")
    return { ...params, limits: { ...params.limits, ...SHORT_LIMITS } };
  const { start } = params;
  return { ...params, start: { ...start, policy: shorten(start.policy) } };
}

/** A policy with shorter limits. */
export function shorten(policy: Policy): Policy {
  return { ...policy, limits: { ...policy.limits, ...SHORT_LIMITS } };
}
