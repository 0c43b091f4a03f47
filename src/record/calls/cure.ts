// What to do about outputs that are missing. Pure.
import type { CallVerdict, ResponseRecord } from "../schema.ts";

/** The fields of a run that the cure depends on. */
export type CurableRun = Pick<ResponseRecord, "id" | "held"> & {
  control: { calls: { source: unknown }[] } | null;
};

const HOLD =
  "Next time start the run held: POST /trigger with hold: true, or POST /v1/responses with background: true and the header X-Recorder-Hold: on.";
const ALREADY_HELD =
  "The run was held, so its code most likely raised an exception: have it print its exceptions, and start it again.";

/** How the outputs of a run like this one are kept next time. */
export function cureOf({ held }: Pick<CurableRun, "held">): string {
  return held === null ? HOLD : ALREADY_HELD;
}

/** Where the control's outputs are; null when it had none. */
export function controlOutputsPath({ id, control }: Omit<CurableRun, "held">): string | null {
  const hasOutputs = control?.calls.some(({ source }) => source !== null) ?? false;
  return hasOutputs ? `/results/${id}/outputs?from=control` : null;
}

/** What to do about a call without outputs; null when nothing is missing. */
export function missingOutputsHint(verdict: CallVerdict | null, run: CurableRun): string | null {
  if (verdict !== "lost" && verdict !== "suspect") return null;
  const path = controlOutputsPath(run);
  return path === null ? cureOf(run) : `${cureOf(run)} What the control printed: ${path}`;
}
