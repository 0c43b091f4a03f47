// What the pages say: every verdict, status, channel and step in words that say what they mean and what to do next.
import type { CallVerdict, Channel, OutputState, ResponseVerdict } from "../../record/schema.ts";

/** How something is coloured. The words never depend on it. */
export type Tone = "good" | "warn" | "bad" | "calm" | "busy";

/** A headline, what it means, and what to do. */
export type Headline = { title: string; meaning: string; next: string; tone: Tone };

/** The verdict of a response. */
export const VERDICTS: Record<ResponseVerdict, Headline> = {
  captured: {
    title: "Outputs captured",
    meaning: "The first look after the end had the outputs of every call that shows something.",
    next: "Nothing to do: the outputs below are what OpenAI returned.",
    tone: "good",
  },
  recovered: {
    title: "Outputs recovered",
    meaning: "The first look came back without outputs; a later look or another channel had them.",
    next: "Use the outputs below. The timeline shows which look found them, and when.",
    tone: "good",
  },
  silent: {
    title: "Nothing was printed",
    meaning:
      "No call has outputs, and nothing in the code suggests that it should have shown anything.",
    next: "Nothing to do, unless you expected output: then have the code print it.",
    tone: "calm",
  },
  suspect: {
    title: "Outputs may be missing",
    meaning:
      "The code should have shown something, yet its outputs are empty. A raised exception looks the same, so nothing is proven.",
    next: "Look again, or start the request once more with a control: identical code in the foreground settles it.",
    tone: "warn",
  },
  lost: {
    title: "Outputs lost",
    meaning:
      "Identical code at the same place had outputs in the foreground; in this background run they are empty at every look.",
    next: "Copy the bug report below. Until it is fixed, run requests whose outputs matter with background: false.",
    tone: "bad",
  },
  pending: {
    title: "In flight",
    meaning: "The response has not been looked at after its end yet.",
    next: "Nothing to do: the verdict appears here when it is known.",
    tone: "busy",
  },
  no_calls: {
    title: "No code was run",
    meaning: "The response ended without a single code interpreter call.",
    next: "If you expected code, ask for it in the input, and give the request a code_interpreter tool.",
    tone: "calm",
  },
  not_found: {
    title: "OpenAI knows no such response",
    meaning: "Every look for a minute was answered with 404, and nobody had seen it before.",
    next: "Check the id, and that the recorder's key belongs to the project that started the response.",
    tone: "warn",
  },
  abandoned: {
    title: "Given up",
    meaning: "No end was seen within 24 hours.",
    next: "Look again if OpenAI says that the response has ended.",
    tone: "warn",
  },
};

/** The verdict of one call, in a line. */
export const CALL_VERDICTS: Record<CallVerdict, { meaning: string; tone: Tone }> = {
  captured: { meaning: "The first look after the end had its outputs.", tone: "good" },
  recovered: { meaning: "A later look, or another channel, had its outputs.", tone: "good" },
  silent: { meaning: "It has no outputs, and its code shows nothing.", tone: "calm" },
  suspect: { meaning: "It has no outputs, though its code should show something.", tone: "warn" },
  lost: {
    meaning: "It has no outputs, though identical code had some in the foreground.",
    tone: "bad",
  },
};

const PENDING: Record<string, Headline> = {
  queued: { ...VERDICTS.pending, title: "Queued at OpenAI" },
  in_progress: { ...VERDICTS.pending, title: "Running at OpenAI" },
};

const ENDED: Record<string, Headline> = {
  failed: {
    title: "The response failed",
    meaning: "OpenAI ended it with an error before any code was run.",
    next: "The error below is OpenAI's. Start the request again if it is a passing one.",
    tone: "bad",
  },
  cancelled: {
    title: "The response was cancelled",
    meaning: "It was ended on request before any code was run.",
    next: "Start it again if you still need it.",
    tone: "calm",
  },
  incomplete: {
    title: "The response is incomplete",
    meaning: "OpenAI cut it off before any code was run, usually at max_output_tokens.",
    next: "Raise the limit and start the request again.",
    tone: "warn",
  },
};

/** Colours of OpenAI's statuses; others are calm. */
const STATUS_TONES: Record<string, Tone> = {
  queued: "busy",
  in_progress: "busy",
  completed: "good",
  failed: "bad",
  incomplete: "warn",
};

/** OpenAI's statuses, as the list filters by them. */
export const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"];

/** How a look looked. */
export const CHANNELS: Record<Channel, string> = {
  refetch: "fetched the response again with include",
  stream: "replayed the response's events",
  conversation: "read the conversation's items",
  held: "read the events of the connection that was held",
  control: "ran the same request with background: false",
};

/** What a look saw of a call's outputs. */
export const STATES: Record<OutputState, { words: string; tone: Tone }> = {
  populated: { words: "outputs there", tone: "good" },
  empty: { words: "outputs [ ]", tone: "warn" },
  null: { words: "outputs null", tone: "warn" },
};

/** Who started a run. */
export const STARTERS = {
  trigger: "this recorder",
  webhook: "another program",
  refetch: "a refetch of its id",
  v1: "unchanged SDK code",
} as const;

/** Stages of a run in flight, in order. */
export const STAGES = ["Created", "Waiting for the end", "Looking", "Settled"];
export const HELD_STAGES = ["Created", "Connection held", "Looking", "Settled"];

/**
 * What stands at the top of a result.
 * @param record Its verdict and status.
 */
export function headline(record: { verdict: ResponseVerdict; status: string | null }): Headline {
  const status = record.status ?? "";
  if (record.verdict === "pending") return PENDING[status] ?? VERDICTS.pending;
  if (record.verdict === "no_calls") return ENDED[status] ?? VERDICTS.no_calls;
  return VERDICTS[record.verdict];
}

/**
 * How a status is coloured.
 * @param status One of OpenAI's.
 */
export function statusTone(status: string | null): Tone {
  return STATUS_TONES[status ?? ""] ?? "calm";
}
