// Observations as text; the pages call them checks.
import type { Channel, Observation } from "../../record/schema.ts";
import { CHECKS, RESULT_STATES, toWords } from "./labels.ts";

/** The name of a check. `number`: which of the run it is, from 1; null when it is not known. */
export function nameCheck(number: number | null, channel: Channel): string {
  return `Check${number === null ? "" : ` ${number}`}: ${CHECKS[channel]}`;
}

/** The HTTP status of an observation. There is none when OpenAI did not answer, or when nothing is left of a held connection. */
export function formatHttpStatus(seen: Pick<Observation, "channel" | "http_status">): string {
  if (seen.http_status !== null) return `HTTP ${seen.http_status}`;
  return seen.channel === "held" ? "nothing left" : "no answer";
}

/** What an observation saw of the calls, counted. */
export function formatOutputStates(seen: Pick<Observation, "calls">): string {
  const counts = Map.groupBy(seen.calls, (call) => call.outputs);
  return [...counts]
    .map(
      ([state, { length }]) => `${RESULT_STATES[state].words}${length > 1 ? ` × ${length}` : ""}`,
    )
    .join(", ");
}

/** An observation's HTTP status, response status and outputs, in one line. */
export function summarizeObservation(seen: Observation): string {
  const parts = [formatHttpStatus(seen), toWords(seen.status ?? ""), formatOutputStates(seen)];
  return parts.filter((part) => part !== "").join(", ");
}
