// The connection of a held run as text: its state, and what that means. The record has the event at which it broke; the rest follows from its observations.
import { BREAK_UNKNOWN, type ResponseRecord } from "../../record/schema.ts";
import { runHeadline, type Headline, type Tone } from "./labels.ts";

/** The fields of a record that these words depend on. */
export type HeldSubject = Pick<
  ResponseRecord,
  "held" | "verdict" | "status" | "settled_at" | "created_at" | "observations"
>;

/** `open`: its end was not reported yet. */
export type HeldConnection = {
  state: "open" | "whole" | "broke";
  endedAt: string | null;
  /** The state in a few words. */
  label: string;
  tone: Tone;
};

/** Headlines that differ from those of a background run, by verdict, or by status when the run made no calls. */
const HEADLINES_BY_STATE: Record<HeldConnection["state"], Record<string, Partial<Headline>>> = {
  open: {},
  whole: {
    captured: { meaning: "The held connection brought the outputs of every call that has some." },
    suspect: {
      meaning:
        "The code should have shown something, yet its outputs are empty in the foreground as well. Most likely it raised an exception, which looks the same.",
      next: "Have the code print its exceptions, and start it again. A control would only show the same.",
    },
  },
  broke: {
    recovered: {
      meaning:
        "The connection broke before the run's end. It had brought these outputs by then, or a later observation had them.",
    },
    suspect: {
      next: "Refetch, or start the request again: outputs that had not arrived before the break may be gone.",
    },
    cancelled: { meaning: "It ended with its connection, before any code was run." },
  },
};

/**
 * The state of a run's connection.
 * @returns Null when the run was not held.
 */
export function describeConnection(record: HeldSubject): HeldConnection | null {
  const { held } = record;
  if (held === null) return null;
  const seen = record.observations.findLast(({ channel }) => channel === "held");
  if (seen === undefined) return toOpenConnection(record.settled_at !== null);
  const endedAt = seen.at;
  if (held.broke_at === null) {
    return { state: "whole", endedAt, label: "held to its end", tone: "good" };
  }
  return { state: "broke", endedAt, label: formatBreak(held.broke_at), tone: "warn" };
}

function toOpenConnection(isSettled: boolean): HeldConnection {
  const label = isSettled ? "its end was never seen" : "held";
  return { state: "open", endedAt: null, label, tone: isSettled ? "warn" : "busy" };
}

/** Where a connection broke, in a few words. `event` is the record's `broke_at`. */
export function formatBreak(event: string): string {
  return event === BREAK_UNKNOWN ? "was lost together with the Worker" : `broke at ${event}`;
}

/** The headline of a result, held or not. */
export function toHeadline(record: HeldSubject): Headline {
  const state = describeConnection(record)?.state ?? "open";
  const key = record.verdict === "no_calls" ? (record.status ?? "") : record.verdict;
  return { ...runHeadline(record), ...HEADLINES_BY_STATE[state][key] };
}

/** Explains a held run: how the connection went, and what is known after it. */
export function explainConnection(record: HeldSubject, { state }: HeldConnection): string {
  if (state === "open") return explainOpen(record);
  if (state === "whole") {
    return "Held to its end: the connection brought the response itself, as OpenAI's foreground has it. No webhook was needed.";
  }
  return `${explainBreak(record.held?.broke_at ?? BREAK_UNKNOWN)} ${explainRunAfterBreak(record)}`;
}

function explainOpen({ verdict, settled_at: settled }: HeldSubject): string {
  if (settled !== null) return "The end of its connection was never seen.";
  if (verdict !== "pending") {
    return "The run has ended; what its connection brought is still to be read.";
  }
  return "The connection is held until the run's end, and brings its outputs. No webhook will come. A deploy would break the connection.";
}

function explainBreak(event: string): string {
  if (event === BREAK_UNKNOWN) {
    return "The connection was lost together with the Worker, by a deploy or a crash, and what it had brought was lost with it. The last event is not known.";
  }
  return `The connection broke, or was closed, at ${event}, the last event that came. Calls that were done by then are recorded.`;
}

function explainRunAfterBreak({ verdict, status, settled_at: settled }: HeldSubject): string {
  if (verdict === "pending") {
    return "OpenAI may end the run with it, or finish it: the run is refetched by its id. Nothing is run twice.";
  }
  if (status === "completed") return "OpenAI finished the run: the rest was fetched by its id.";
  if (status === "cancelled") {
    return "OpenAI cancelled the run with it. Cancelling a held run here closes its connection as well.";
  }
  if (settled !== null && verdict === "abandoned") return "No end of the run was seen after it.";
  return `OpenAI ended the run: ${status ?? "unknown"}.`;
}
