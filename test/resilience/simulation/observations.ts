// The observations of an instance, from the results of its steps.
import type { ObservationResult } from "../../../src/record/schema.ts";
import type { LookStep } from "../../../src/workflows/hands.ts";
import type { Instance } from "./engine.ts";

/** Returns the observations. One that an earlier attempt had stored is in the record, not in the step's result. */
export function listObservations({ kept }: Instance): ObservationResult[] {
  return [...kept].flatMap(([name, result]) => {
    if (!name.startsWith("look ") || !("value" in result)) return [];
    return isLookStep(result.value) && result.value.kind === "look" ? [result.value.look] : [];
  });
}

function isLookStep(value: unknown): value is LookStep {
  return typeof value === "object" && value !== null && "kind" in value;
}
