// The parameters of calls to a Recorder.
import { DEFAULT_LIMITS, type Policy } from "../../../src/record/policy.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import { toTime } from "./clock.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulationState } from "./simulation-state.ts";

const NO_OPTIONS = {
  include: [],
  replay: false,
  control: false,
  hold: false,
  retention_days: null,
};

/** Returns the parameters of a call now. */
export function toParams(
  { scenario, clock }: SimulationState,
  what: Partial<RecorderParams>,
): RecorderParams {
  return {
    id: scenario.id,
    at: toTime(clock.seconds),
    started_by: "webhook",
    policy: toPolicy(scenario),
    options: null,
    request: null,
    created: null,
    webhook: null,
    control: false,
    holder: null,
    ...what,
  };
}

/**
 * Returns what a trigger, or a Holder, hands over.
 * @param holder The Holder's id; null for a run in the background.
 */
export function toTriggerParams(run: SimulationState, holder: string | null): RecorderParams {
  const { replay, control, saidStore, began, held, retentionDays } = run.scenario;
  const options = { replay, control: control !== null, retention_days: retentionDays };
  return toParams(run, {
    started_by: held?.by ?? "trigger",
    options: held?.by === "v1" ? null : { ...NO_OPTIONS, ...options, hold: held !== null },
    request: {},
    created: {
      status: held === null ? "queued" : "in_progress",
      model: "m",
      background: held === null,
      store: saidStore,
      created_at: toTime(began),
    },
    control: control !== null,
    holder,
  });
}

function toPolicy({ recordsExternal, retentionSeconds }: Scenario): Policy {
  return {
    deadline_seconds: 120,
    delays_seconds: [5, 20, 60, 180, 300],
    record_external: recordsExternal,
    retention_seconds: retentionSeconds,
    limits: DEFAULT_LIMITS,
  };
}
