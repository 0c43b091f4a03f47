// The Workflow class, which holds foreground connections, and the Recorder, which reads what they brought.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { withLog } from "../log.ts";
import { Recorder as RecorderObject } from "../objects/recorder/recorder.ts";
import type { Observed } from "../openai/observed.ts";
import { runControl } from "../openai/control.ts";
import type { StoredRecord } from "../record/schema.ts";
import { observeByHolder } from "./by-holder.ts";
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

/** One object per response. */
export class Recorder extends RecorderObject {
  protected override observeHeld(record: StoredRecord): Promise<Observed> {
    return observeByHolder(this.env, record);
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
