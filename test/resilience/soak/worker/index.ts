// The Worker as it is, with a store and steps that fail now and then. Only the soak deploys this, and only to its own machine.
import type { WorkflowEvent, WorkflowStep } from "cloudflare:workers";
import type { Holding } from "../../../../src/workflows/holder.ts";
import { Holder as RealHolder, Recorder as Real } from "../../../../src/index.ts";
import type { RecorderParams } from "../../../../src/record/schema.ts";
import type { Outcome } from "../../../../src/workflows/hands.ts";
import { faultyStore } from "./store.ts";
import { faultySteps } from "./steps.ts";

export * from "../../../../src/index.ts";
export { default } from "../../../../src/index.ts";

/** The Recorder, unchanged, in a world that fails. */
export class Recorder extends Real {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, { ...env, RECORDS: faultyStore(env) });
  }

  override async run(event: WorkflowEvent<RecorderParams>, step: WorkflowStep): Promise<Outcome> {
    return super.run(event, faultySteps(step, this.env, event.instanceId));
  }
}

/** The Holder, likewise. */
export class Holder extends RealHolder {
  override async run(event: WorkflowEvent<Holding>, step: WorkflowStep): Promise<null> {
    return super.run(event, faultySteps(step, this.env, event.instanceId));
  }
}
