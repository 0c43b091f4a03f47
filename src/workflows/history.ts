// What an instance's own history says about its response: the engine keeps each step's result.
import { fold, foldControl } from "../record/reducer.ts";
import { LookStep, Ran } from "./hands.ts";
import { Known } from "../record/schema.ts";

/** What an instance says about its response. */
export type Reading =
  | { state: "unknown" }
  | { state: "deleted" }
  | { state: "running"; known: Known }
  | { state: "ended"; known: Known };

/** What became of a wake: an instance that has ended hears nothing, whether it saw the response's end, or failed, or gave up. */
export type Woken = "woken" | "ended" | "absent" | "gave up";

/** A step that has ended. */
export type Ended = { name: string; output: unknown };

/**
 * What is known after a step.
 * @param known What was known before.
 * @param step Its name, and its result.
 * @param strangers Whether responses that nobody asked for are recorded.
 */
export function foldStep(known: Known, { name, output }: Ended, strangers: boolean): Known {
  if (name.startsWith("look ")) {
    const result = LookStep.parse(output);
    if (result.kind === "stored") return result.record;
    return { ...fold(known, result.look, strangers), webhook: result.webhook };
  }
  if (name.startsWith("recall") && output !== null) return Known.parse(output);
  if (name.startsWith("control")) return foldControl(known, Ran.parse(output));
  return known;
}
