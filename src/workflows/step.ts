// The part of a Workflow's step that the Holder uses, so that tests can stand in for the engine.

/** How long a step may take, and how it is retried. */
export type StepConfig = {
  timeout: "5 minutes" | "24 hours";
  retries: { limit: number; delay: "2 seconds"; backoff: "constant" };
};

/** The part of WorkflowStep that is used. https://developers.cloudflare.com/workflows/build/workers-api/#workflowstep */
export interface Step {
  do<T>(
    name: string,
    config: StepConfig,
    callback: (context: { attempt: number }) => Promise<T>,
  ): Promise<T>;
  waitForEvent(name: string, options: { type: string; timeout: number }): Promise<unknown>;
}

/** A POST that was cut off may have run, and is billed: no retries. */
export const ONCE: StepConfig = {
  timeout: "24 hours",
  retries: { limit: 0, delay: "2 seconds", backoff: "constant" },
};

/** A report to the Recorder, which must reach it. */
export const UNTIL_DONE: StepConfig = {
  timeout: "5 minutes",
  retries: { limit: 300, delay: "2 seconds", backoff: "constant" },
};
