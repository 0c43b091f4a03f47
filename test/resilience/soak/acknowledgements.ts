// The planned responses, and which of them the Worker has acknowledged.
import type { ResponseRecord } from "../../../src/record/schema.ts";
import type { Plan } from "./schedule.ts";
import type { ActualRun } from "../../support/emulator-client.ts";

/** What is known of one planned response while the soak runs. */
export type ResponseEntry = {
  plan: Plan;
  /** The id that a trigger's 202 named. */
  id: string | null;
  /** The status of the trigger's last answer; "none" without one. */
  answer: number | "none" | null;
  /** Whether the record was deleted. */
  isDeleted: boolean;
};

/** Everything that was planned and acknowledged. */
export class Acknowledgements {
  readonly entries = new Map<number, ResponseEntry>();
  /** Ids that a trigger's answer named. */
  readonly triggered = new Set<string>();
  /** Ids of webhooks that were answered 200. */
  readonly delivered = new Set<string>();
  /** The last record that was read of an id. */
  readonly records = new Map<string, ResponseRecord>();
  /** Ids whose records are not complete yet. */
  readonly incomplete = new Set<string>();
  /** Ids whose records were deleted. */
  readonly deleted = new Set<string>();
  started = 0;
  /** How many ids were acknowledged. */
  acknowledgedCount = 0;
  maxIncomplete = 0;

  /** Returns the entry of a run; null for a control, which runs in the foreground although its plan is in the background. */
  findEntry({ metadata, background }: ActualRun): ResponseEntry | null {
    const entry = this.entries.get(Number(metadata["soak"]));
    if (entry === undefined) return null;
    return background === (entry.plan.kind !== "held") ? entry : null;
  }

  /** Notes that an id was acknowledged. Returns whether it is new. */
  acknowledge(id: string, by: "trigger" | "webhook"): boolean {
    const known = this.triggered.has(id) || this.delivered.has(id);
    (by === "trigger" ? this.triggered : this.delivered).add(id);
    if (known) return false;
    this.incomplete.add(id);
    this.acknowledgedCount += 1;
    this.maxIncomplete = Math.max(this.maxIncomplete, this.incomplete.size);
    return true;
  }
}
