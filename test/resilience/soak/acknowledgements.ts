// What was promised: which responses the Worker has acknowledged, and how.
import type { ResponseRecord } from "../../../src/record/schema.ts";
import type { Plan } from "./schedule.ts";
import type { Truth } from "./emulator-api.ts";

/** What is known of one planned response while the soak runs. */
export type Entry = {
  plan: Plan;
  /** The id that a trigger's 202 named. */
  id: string | null;
  /** The trigger's last answer: a status, or that there was none. */
  answer: number | "none" | null;
  /** How often the Worker had been killed when it began. */
  kills: number;
};

/** Everything that was planned, and every promise of the Worker's. */
export class Ledger {
  readonly entries = new Map<number, Entry>();
  /** Ids that a trigger's 202 named. */
  readonly triggered = new Set<string>();
  /** Ids of webhooks that were answered 200. */
  readonly delivered = new Set<string>();
  /** The last record that was read of an id. */
  readonly records = new Map<string, ResponseRecord>();
  /** Ids whose records are not complete yet. */
  readonly open = new Set<string>();
  started = 0;
  /** How many ids were acknowledged. */
  promised = 0;
  mostOpen = 0;
  /** How often the Worker was killed. */
  kills = 0;

  /** The plan that a run is the response of. A control runs in the foreground, as a held run does, but only beside a background one. */
  entryOf({ metadata, background }: Truth): Entry | null {
    const entry = this.entries.get(Number(metadata["soak"]));
    if (entry === undefined) return null;
    return background === (entry.plan.kind !== "held") ? entry : null;
  }

  /** Takes an id as acknowledged; true when it is new. */
  promise(id: string, by: "trigger" | "webhook"): boolean {
    const known = this.triggered.has(id) || this.delivered.has(id);
    (by === "trigger" ? this.triggered : this.delivered).add(id);
    if (known) return false;
    this.open.add(id);
    this.promised += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    return true;
  }
}
