// Workflow steps that fail now and then: before they did anything, or after, so that their result is lost.
import type { WorkflowStep, WorkflowStepConfig } from "cloudflare:workers";
import { draw, fail } from "./faults.ts";

type Work<T> = (context: { attempt: number }) => Promise<T>;

/** A look that failed is tried again after five minutes; here minutes are seconds. */
const SOON = "1 second";

/**
 * The steps of an instance, some of which fail by the soak's seed.
 * @param step The platform's.
 * @param env Holds the soak's settings.
 * @param id The instance.
 */
export function faultySteps(step: WorkflowStep, env: Env, id: string): WorkflowStep {
  const run = <T extends Rpc.Serializable<T>>(
    name: string,
    config: WorkflowStepConfig,
    work: Work<T>,
  ) =>
    step.do(name, sooner(config), async ({ attempt }) => {
      const what = `${name}, attempt ${attempt}, of ${id}`;
      const failure = draw(env, what);
      if (failure === "before") fail("step", what, failure);
      const result = await work({ attempt });
      if (failure !== null) fail("step", what, failure);
      return result;
    });
  return new Proxy(step, { get: (real, name) => (name === "do" ? run : member(real, name)) });
}

function sooner(config: WorkflowStepConfig): WorkflowStepConfig {
  const { retries } = config;
  return retries === undefined ? config : { ...config, retries: { ...retries, delay: SOON } };
}

function member(step: WorkflowStep, name: string | symbol): unknown {
  const found: unknown = Reflect.get(step, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, step, given);
}
