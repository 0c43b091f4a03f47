// The Worker with KV writes and Workflow steps that sometimes fail. Only the soak runs it, locally.
import type { WorkflowEvent, WorkflowStep } from "cloudflare:workers";
import type { Holding } from "../../../../src/workflows/holder.ts";
import { Holder as RealHolder, Recorder as RealRecorder } from "../../../../src/index.ts";
import type { RecorderParams } from "../../../../src/record/schema.ts";
import type { Outcome } from "../../../../src/workflows/hands.ts";
import { withWriteFaults } from "./store.ts";
import { withStepFaults } from "./steps.ts";

export * from "../../../../src/index.ts";
export { default } from "../../../../src/index.ts";

/** The unchanged Recorder, with faults. */
export class Recorder extends RealRecorder {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, { ...env, RECORDS: withWriteFaults(env) });
  }

  override async run(event: WorkflowEvent<RecorderParams>, step: WorkflowStep): Promise<Outcome> {
    return super.run(event, withStepFaults(step, this.env, event.instanceId));
  }
}

/** The unchanged Holder, with faults. */
export class Holder extends RealHolder {
  override async run(event: WorkflowEvent<Holding>, step: WorkflowStep): Promise<null> {
    return super.run(event, withStepFaults(step, this.env, event.instanceId));
  }
}
