// The Worker with KV writes, Catalog calls and Workflow steps that sometimes fail, and Recorders that sometimes die. Only the soak runs it, locally.
import type { WorkflowEvent, WorkflowStep } from "cloudflare:workers";
import worker, { Holder as RealHolder } from "../../../../src/index.ts";
import type { ControlParams } from "../../../../src/workflows/control-run.ts";
import type { Holding } from "../../../../src/workflows/holder.ts";
import { withStepFaults } from "./steps.ts";

export { Catalog } from "./catalog.ts";
export { Recorder } from "./recorder.ts";

/** The unchanged Holder, with faults. */
export class Holder extends RealHolder {
  override async run(
    event: WorkflowEvent<Holding | ControlParams>,
    step: WorkflowStep,
  ): Promise<null> {
    const { payload, instanceId } = event;
    const owner = "control_of" in payload ? payload.control_of : instanceId;
    return super.run(event, withStepFaults(step, this.env, owner));
  }
}

export default {
  ...worker,
  /** Answers `/soak/kv?key=…` with what KV has, and everything else as the Worker does. */
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/soak/kv") return worker.fetch(request, env, ctx);
    const value = await env.RECORDS.get(searchParams.get("key") ?? "", "stream");
    return new Response(value, { status: value === null ? 404 : 200 });
  },
} satisfies ExportedHandler<Env>;
