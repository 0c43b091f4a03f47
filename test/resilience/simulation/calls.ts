// The parameters of calls to a Recorder.
import { DEFAULT_LIMITS, type Policy } from "../../../src/record/policy.ts";
import type { RecorderParams, TriggerOptions } from "../../../src/record/schema.ts";
import { toTime } from "./clock.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulationState } from "./simulation-state.ts";

const NO_OPTIONS = {
  include: [],
  stream: false,
  control: false,
  hold: false,
  retention_days: null,
};

/** Returns the parameters of a call now. */
export function toParams(
  { scenario, receiver, clock }: SimulationState,
  what: Partial<RecorderParams>,
): RecorderParams {
  return {
    id: scenario.id,
    at: toTime(clock.seconds),
    started_by: "webhook",
    policy: toPolicy(scenario, receiver !== null),
    options: null,
    request: null,
    created: null,
    webhook: null,
    control: null,
    connection: null,
    ...what,
  };
}

/**
 * Returns what a trigger hands over.
 * @param control The control's Connection, which is about to be opened; null without a control.
 */
export function toTriggerParams(run: SimulationState, control: string | null): RecorderParams {
  const { saidStore, began, stream } = run.scenario;
  const created = { model: "m", background: true, store: saidStore, created_at: toTime(began) };
  return toParams(run, {
    started_by: stream?.by ?? "trigger",
    options: stream?.by === "v1" ? null : toOptions(run.scenario),
    request: {},
    created: { ...created, status: "queued" },
    control,
  });
}

/** What the trigger asked for. */
export function toOptions({ stream, control, retentionDays }: Scenario): TriggerOptions {
  return {
    ...NO_OPTIONS,
    stream: stream?.kind === "followed",
    hold: stream?.kind === "held",
    control: control !== null,
    retention_days: retentionDays,
  };
}

function toPolicy({ recordsExternal, retentionSeconds }: Scenario, notifies: boolean): Policy {
  return {
    deadline_seconds: 120,
    delays_seconds: [5, 20, 60, 180, 300],
    record_external: recordsExternal,
    retention_seconds: retentionSeconds,
    limits: DEFAULT_LIMITS,
    ...(notifies ? { notify: { origin: "https://recorder.test" } } : {}),
  };
}
