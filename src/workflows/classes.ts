// The Workflow class: it holds foreground connections.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { withLog } from "../log.ts";
import { runControl } from "../openai/control.ts";
import { reportControl } from "./control-report.ts";
import { holdControl, type ControlActivities, type ControlParams } from "./control-run.ts";
import { hold, type Holding } from "./holder.ts";
import { holderHands } from "./holding.ts";
import { loggedHolder } from "./logged.ts";

/** One instance per held connection, of a held run or of a control. It writes no keys: what its connection brought, the response's Recorder takes. */
export class Holder extends WorkflowEntrypoint<Env, Holding | ControlParams> {
  override async run(
    { payload, instanceId }: WorkflowEvent<Holding | ControlParams>,
    step: WorkflowStep,
  ): Promise<null> {
    if ("control_of" in payload) return holdControl(payload, step, controlActivities(this.env));
    return hold(instanceId, payload, step, loggedHolder(holderHands(this.env), instanceId));
  }
}

function controlActivities(env: Env): ControlActivities {
  return {
    run: (request, id) =>
      withLog(
        "control",
        { id },
        () => runControl(env, request, id),
        ({ control }) => ({ outcome: control.status, control: control.id }),
      ),
    report: (id, result, outputs) => reportControl(env, id, result, outputs),
  };
}
