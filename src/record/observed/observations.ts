// What a record's list of observations says. Pure.
import type { StoredRecord } from "../schema.ts";

type Observations = StoredRecord["observations"];

/** The channel of what a run's Connection brings. */
export function connectionChannel({
  connection,
}: Pick<StoredRecord, "connection">): "held" | "stream" {
  return connection?.kind === "followed" ? "stream" : "held";
}

/** The observations of the run itself. A control is a run of its own. */
export function runObservations({ observations }: StoredRecord): Observations {
  return observations.filter((seen) => seen.channel !== "control");
}

/** When the run was last observed, in milliseconds since 1970. The start counts until there is an observation. */
export function lastObservedMs(record: StoredRecord): number {
  return Date.parse(runObservations(record).at(-1)?.at ?? record.started_at);
}
