// Runs a control, and reports its end to the Recorder of the background run.
import * as z from "zod";
import type { ControlResult } from "../record/schema.ts";
import { ONCE, UNTIL_DONE, type Step } from "./step.ts";

/** What a control is created with. */
export const ControlParams = z.object({
  /** The background run's response id. */
  control_of: z.string(),
  /** Create parameters of the background run. */
  request: z.record(z.string(), z.unknown()),
});
export type ControlParams = z.infer<typeof ControlParams>;

/** The side effects of a control. */
export interface ControlActivities {
  /** Sends the request in the foreground. A failure is a result as well. */
  run(
    request: Record<string, unknown>,
    id: string,
  ): Promise<ControlResult & { outputs: unknown[] }>;
  /** Reports to the Recorder. */
  report(id: string, result: ControlResult, outputs: unknown[]): Promise<void>;
}

const INTERRUPTED: ControlResult = {
  observation: null,
  control: { id: null, status: "interrupted", calls: [] },
};

/** Runs one control. Its outputs can have megabytes, so they are reported within the step: a step's result holds 1 MiB. */
export async function holdControl(
  { control_of: id, request }: ControlParams,
  step: Step,
  activities: ControlActivities,
): Promise<null> {
  const isReported = await step
    .do("control", ONCE, async ({ attempt }) => {
      if (attempt > 1) return false;
      const { outputs, ...result } = await activities.run(request, id);
      await activities.report(id, result, outputs);
      return true;
    })
    .catch(() => false);
  if (isReported) return null;
  await step.do("report", UNTIL_DONE, async () => {
    await activities.report(id, INTERRUPTED, []);
    return null;
  });
  return null;
}
