// A run's Connection as text: how it went, and what that means. The record has the event at which a held one broke; the rest follows from its request and its observations.
import { isTerminal } from "../../record/reducer.ts";
import {
  BREAK_UNKNOWN,
  type Observation,
  type ResponseRecord,
  type RunConnection,
} from "../../record/schema.ts";
import { runHeadline, UNSEEN, type Headline, type Tone } from "./labels.ts";

/** The fields of a record that these words depend on. */
export type ConnectionSubject = Pick<
  ResponseRecord,
  "held" | "request" | "verdict" | "status" | "settled_at" | "observations"
>;

export type ConnectionKind = RunConnection["kind"];

/** `open`: its end was not observed yet. `whole`: it brought the run's last event. */
type ConnectionPhase = "open" | "whole" | "broke";

/** How a run's Connection went. */
export type DescribedConnection = {
  kind: ConnectionKind;
  state: ConnectionPhase;
  endedAt: string | null;
  /** The state in a few words. */
  label: string;
  tone: Tone;
};

/** Headlines that differ from those of a run without a Connection, by verdict, or by status when the run made no calls. */
const HEADLINES: Record<
  ConnectionKind,
  Record<ConnectionPhase, Record<string, Partial<Headline>>>
> = {
  held: {
    open: {},
    whole: {
      captured: {
        meaning: "The held connection brought the outputs of every call that has some.",
      },
      suspect: {
        meaning:
          "The code should have shown something, yet its outputs are empty in the foreground as well. Most likely it raised an exception, which looks the same.",
        next: "Have the code print its exceptions, and run it again. A control would only show the same.",
      },
    },
    broke: {
      recovered: {
        meaning:
          "The connection broke before the run's end. It had brought these outputs by then, or a later check had them.",
      },
      suspect: {
        next: "Check again, or run it again: outputs that had not arrived before the break may be gone.",
      },
      cancelled: { meaning: "It ended with its connection, before any code was run." },
    },
  },
  followed: {
    open: {},
    whole: {
      recovered: {
        meaning:
          "The run's stream had outputs that no check had found by then, or a later check had them.",
      },
    },
    broke: {
      recovered: {
        meaning:
          "The stream broke before the run's end. It had brought these outputs by then, or a later check had them.",
      },
    },
  },
};

const WHOLE_LABELS: Record<ConnectionKind, string> = {
  held: "held to its end",
  followed: "followed to its end",
};

/**
 * Describes a run's Connection.
 * @returns Null when the run was neither held nor followed.
 */
export function describeConnection(record: ConnectionSubject): DescribedConnection | null {
  const kind = findKind(record);
  if (kind === null) return null;
  const seen = findReading(record, kind);
  if (seen === undefined) return describeOpen(kind, record.settled_at !== null);
  const label = findBreak(record, kind, seen);
  return label === null
    ? { kind, state: "whole", endedAt: seen.at, label: WHOLE_LABELS[kind], tone: "good" }
    : { kind, state: "broke", endedAt: seen.at, label, tone: "warn" };
}

function findKind({ held, request }: ConnectionSubject): ConnectionKind | null {
  if (held !== null) return "held";
  return request?.["stream"] === true ? "followed" : null;
}

// A late report replaces a reading of a held connection. After a followed stream was read, the same channel replays it.
function findReading({ observations }: ConnectionSubject, kind: ConnectionKind) {
  return kind === "held"
    ? observations.findLast(({ channel }) => channel === "held")
    : observations.find(({ channel }) => channel === "stream");
}

function findBreak(
  { held }: ConnectionSubject,
  kind: ConnectionKind,
  { status }: Observation,
): string | null {
  if (kind === "followed") return isTerminal(status) ? null : "broke before the run's end";
  const event = held?.broke_at ?? null;
  return event === null ? null : formatBreak(event);
}

function describeOpen(kind: ConnectionKind, isSettled: boolean): DescribedConnection {
  const label = isSettled ? "its end was never seen" : kind;
  return { kind, state: "open", endedAt: null, label, tone: isSettled ? "warn" : "busy" };
}

/** Where a connection broke, in a few words. `event` is the record's `broke_at`. */
export function formatBreak(event: string): string {
  return event === BREAK_UNKNOWN ? "ended at an unknown event" : `broke at ${event}`;
}

/** The headline of a result. */
export function toHeadline(record: ConnectionSubject): Headline {
  if (isUnseen(record)) return UNSEEN[wasNotFound(record) ? "not_found" : "asking"];
  const headline = runHeadline(record);
  const connection = describeConnection(record);
  if (connection === null) return headline;
  const key = record.verdict === "no_calls" ? (record.status ?? "") : record.verdict;
  return { ...headline, ...HEADLINES[connection.kind][connection.state][key] };
}

/** Whether nothing is known of an id yet but that OpenAI is asked for it. */
export function isUnseen({
  verdict,
  status,
}: Pick<ConnectionSubject, "verdict" | "status">): boolean {
  return verdict === "pending" && status === null;
}

function wasNotFound({ observations }: ConnectionSubject): boolean {
  return observations.at(-1)?.http_status === 404;
}

/** Explains a held or followed run: how its Connection went, and what is known after it. */
export function explainConnection(
  record: ConnectionSubject,
  { kind, state }: DescribedConnection,
): string {
  if (state === "open") return explainOpen(record, kind);
  if (kind === "held") return state === "whole" ? HELD_WHOLE : explainHeldBreak(record);
  if (state === "whole") return FOLLOWED_WHOLE;
  return `The stream broke, or was closed, before the run's end. Calls that were done by then are recorded. ${explainRunAfterStream(record)}`;
}

const HELD_OPEN =
  "The connection is held until the run's end, and brings its outputs. No webhook will come. When Cloudflare restarts the object that holds it, the connection breaks, and OpenAI may end the run; what has come by then is kept.";
const FOLLOWED_OPEN =
  "The stream of this background run is followed until the run's end, and every item that is done is kept. A stream that breaks is taken up again after its last event.";
const HELD_WHOLE =
  "Held to its end: the connection brought the response itself, as OpenAI's foreground has it. No webhook was needed.";
const FOLLOWED_WHOLE = "Followed to its end: the last event of its stream had the whole response.";

function explainOpen(
  { verdict, settled_at: settled }: ConnectionSubject,
  kind: ConnectionKind,
): string {
  const noun = kind === "held" ? "connection" : "stream";
  if (settled !== null) return `The end of its ${noun} was never seen.`;
  if (verdict !== "pending") {
    return `The run has ended; what its ${noun} brought is still to be read.`;
  }
  return kind === "held" ? HELD_OPEN : FOLLOWED_OPEN;
}

function explainHeldBreak(record: ConnectionSubject): string {
  const event = record.held?.broke_at ?? BREAK_UNKNOWN;
  const where =
    event === BREAK_UNKNOWN
      ? "The connection has ended, and nothing of it could be read, so its last event is not known."
      : `The connection broke, or was closed, at ${event}, the last event that was stored. Calls that were done by then are recorded.`;
  return `${where} ${explainRunAfterHold(record)}`;
}

function explainRunAfterHold(record: ConnectionSubject): string {
  const { verdict, status } = record;
  if (verdict === "pending") {
    return "OpenAI may end the run with it, or finish it: the run is fetched by its id. Nothing is run twice.";
  }
  if (status === "cancelled") {
    return "OpenAI cancelled the run with it. Cancelling a held run here closes its connection as well.";
  }
  return explainEnd(record);
}

function explainRunAfterStream(record: ConnectionSubject): string {
  if (record.verdict === "pending") {
    return "The run goes on at OpenAI: it is fetched by its id until its end.";
  }
  return explainEnd(record);
}

function explainEnd({ verdict, status, settled_at: settled }: ConnectionSubject): string {
  if (status === "completed") return "OpenAI finished the run: the rest was fetched by its id.";
  if (verdict === "gone") {
    return "After it OpenAI answered every check with 404: it has the run no more.";
  }
  if (settled !== null && verdict === "abandoned") return "No end of the run was seen after it.";
  return `OpenAI ended the run: ${status ?? "unknown"}.`;
}
