// A held run's connection: how it stands, and what that means. A record says at which event it broke; the rest is read from its looks.
import { LOST, type ResponseRecord } from "../../record/schema.ts";
import { Chip } from "./chip.tsx";
import { Visible } from "./safe-text.tsx";
import { headline, type Headline, type Tone } from "../text/labels.ts";

type Subject = Pick<
  ResponseRecord,
  "held" | "verdict" | "status" | "settled_at" | "created_at" | "observations"
>;

/** `open`: nobody has said yet how it ended. */
export type Connection = {
  state: "open" | "whole" | "broke";
  /** When it ended. */
  ended: string | null;
  /** In a few words. */
  words: string;
  tone: Tone;
};

/** Where a verdict, or the status of a run without code, means something else than of a background run. */
const OTHERWISE: Record<Connection["state"], Record<string, Partial<Headline>>> = {
  open: {},
  whole: {
    captured: { meaning: "The held connection brought the outputs of every call that has some." },
    suspect: {
      meaning:
        "The code should have shown something, yet its outputs are empty, in the foreground too. Most likely it raised an exception, which looks the same.",
      next: "Have the code print its exceptions, and start it again. A control would only be the same once more.",
    },
  },
  broke: {
    recovered: {
      meaning:
        "The connection broke before the run's end. The outputs are those that it had brought by then, or that a later look had.",
    },
    suspect: {
      next: "Look again, or start the request once more: what was not brought before the break may be gone.",
    },
    cancelled: { meaning: "It ended with its connection, before any code was run." },
  },
};

/**
 * How a run's connection stands.
 * @param record What is known.
 * @returns Null where none was held.
 */
export function connectionOf(record: Subject): Connection | null {
  const { held } = record;
  if (held === null) return null;
  const seen = record.observations.findLast(({ channel }) => channel === "held");
  if (seen === undefined) {
    const never = record.settled_at !== null;
    const words = never ? "its end was never seen" : "held";
    return { state: "open", ended: null, words, tone: never ? "warn" : "busy" };
  }
  if (held.broke_at === null)
    return { state: "whole", ended: seen.at, words: "held to its end", tone: "good" };
  const words = breakWords(held.broke_at);
  return { state: "broke", ended: seen.at, words, tone: "warn" };
}

/**
 * Where a connection broke, in a few words.
 * @param event The event, as a record names it.
 */
export function breakWords(event: string): string {
  return event === LOST ? "lost together with the Worker" : `broke at ${event}`;
}

/** What stands at the top of a result, held or not. */
export function headlineOf(record: Subject): Headline {
  const state = connectionOf(record)?.state ?? "open";
  const about = record.verdict === "no_calls" ? (record.status ?? "") : record.verdict;
  return { ...headline(record), ...OTHERWISE[state][about] };
}

/** Says that a run was held, how that went, and what is known after. */
export function Held(props: { record: Subject }) {
  const connection = connectionOf(props.record);
  if (connection === null) return null;
  return (
    <p class="meaning">
      <Chip tone={connection.tone}>held</Chip> <Visible text={told(props.record, connection)} />
    </p>
  );
}

function told(record: Subject, { state }: Connection): string {
  if (state === "open") return open(record);
  if (state === "whole")
    return "Held to its end: the connection brought the response itself, as OpenAI's foreground has it. No webhook was waited for.";
  return `${broken(record.held?.broke_at ?? LOST)} ${after(record)}`;
}

function open({ verdict, settled_at: settled }: Subject): string {
  if (settled !== null) return "How its connection ended was never seen.";
  if (verdict !== "pending")
    return "The run has ended; what its connection brought is still to be read.";
  return "The connection is held until the run's end, and brings its outputs. Nothing else is waited for; no webhook will come. A deploy would break it.";
}

function broken(event: string): string {
  if (event === LOST)
    return "The connection was lost together with the Worker, by a deploy or a crash, and with it what it had brought. Nobody knows at which event.";
  return `The connection broke, or was closed, at ${event}, the last event that came. Calls that were done by then are kept.`;
}

function after({ verdict, status, settled_at: settled }: Subject): string {
  if (verdict === "pending")
    return "OpenAI may end the run with it, or finish it: the run is looked at by its id. Nothing is run twice.";
  if (status === "completed")
    return "OpenAI finished the run all the same: the rest was fetched by its id.";
  if (status === "cancelled")
    return "OpenAI cancelled the run with it. Cancelling a held run here closes its connection, too.";
  if (settled !== null && verdict === "abandoned") return "No end of the run was seen after it.";
  return `OpenAI ended the run: ${status ?? "unknown"}.`;
}
