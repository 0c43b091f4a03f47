// Workflow steps that sometimes fail, before they did anything or after it.
import type { WorkflowStep, WorkflowStepConfig } from "cloudflare:workers";
import { drawFault, throwFault } from "./faults.ts";

type Work<T> = (context: { attempt: number }) => Promise<T>;

/** A failed observation is retried after five minutes, which would be too long here. */
const RETRY_DELAY = "1 second";

/**
 * Returns steps of which some fail, by the soak's seed.
 * @param owner The instance, or the response whose control it runs.
 */
export function withStepFaults(step: WorkflowStep, env: Env, owner: string): WorkflowStep {
  const run = <T extends Rpc.Serializable<T>>(
    name: string,
    config: WorkflowStepConfig,
    work: Work<T>,
  ) =>
    step.do(name, withShortRetries(config), async ({ attempt }) => {
      const operation = `${name}, attempt ${attempt}, of ${owner}`;
      const moment = drawFault(env, operation);
      if (moment === "before") throwFault("step", operation, moment);
      const result = await work({ attempt });
      if (moment !== null) throwFault("step", operation, moment);
      return result;
    });
  return new Proxy(step, { get: (real, name) => (name === "do" ? run : getMember(real, name)) });
}

function withShortRetries(config: WorkflowStepConfig): WorkflowStepConfig {
  const { retries } = config;
  return retries === undefined
    ? config
    : { ...config, retries: { ...retries, delay: RETRY_DELAY } };
}

function getMember(step: WorkflowStep, name: string | symbol): unknown {
  const found: unknown = Reflect.get(step, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, step, given);
}
