// What an instance's own history says about its response: the engine keeps each step's result.
import { applyObservation, applyControl } from "../record/reducer.ts";
import { LookStep } from "./hands.ts";
import { ControlResult, StoredRecord } from "../record/schema.ts";

/** What an instance says about its response. */
export type Reading =
  | { state: "unknown" }
  | { state: "deleted" }
  | { state: "running"; known: StoredRecord }
  | { state: "ended"; known: StoredRecord };

/** The outcome of an event: an ended instance drops events, whether it saw the response's end, failed, or gave up. */
export type Woken = "woken" | "ended" | "absent" | "gave up";

/** A step that has ended. */
export type Ended = { name: string; output: unknown };

/**
 * What is known after a step.
 * @param known What was known before.
 * @param step Its name, and its result.
 * @param external Whether external responses are recorded.
 */
export function foldStep(
  known: StoredRecord,
  { name, output }: Ended,
  external: boolean,
): StoredRecord {
  if (name.startsWith("look ")) {
    const result = LookStep.parse(output);
    if (result.kind === "stored") return result.record;
    return { ...applyObservation(known, result.look, external), webhook: result.webhook };
  }
  if (name.startsWith("recall") && output !== null) return StoredRecord.parse(output);
  if (name.startsWith("control")) return applyControl(known, ControlResult.parse(output));
  return known;
}
