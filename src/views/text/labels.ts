// The words of the pages: what every verdict, status and channel means, and what to do next.
import type { ResultState } from "../../record/calls/item-kinds.ts";
import type { CallVerdict, Channel, RunConnection, RunVerdict } from "../../record/schema.ts";

/** The colour of something. The words never depend on it. */
export type Tone = "good" | "warn" | "bad" | "neutral" | "busy";

/** A headline, what it means, and what to do. */
export type Headline = { title: string; meaning: string; next: string; tone: Tone };

/** The verdict of a run. */
export const RUN_VERDICTS: Record<RunVerdict, Headline> = {
  captured: {
    title: "Outputs captured",
    meaning: "The first check after the end had the result of every call that has one to show.",
    next: "Nothing to do: the outputs below are what OpenAI returned.",
    tone: "good",
  },
  recovered: {
    title: "Outputs recovered",
    meaning:
      "The first check found no outputs; a later one, or another way to read the run, found them.",
    next: "Use the outputs below. The timeline shows which check found them, and when.",
    tone: "good",
  },
  silent: {
    title: "Nothing was printed",
    meaning: "No call has a result, and nothing suggests that one should have had any.",
    next: "Nothing to do, unless you expected output: then have the code print it.",
    tone: "neutral",
  },
  suspect: {
    title: "Outputs may be missing",
    meaning:
      "A call should have had a result, and every check found none. Code that raises an exception looks the same, so nothing is proven.",
    next: "Check again. Or run it again: held, which keeps its outputs, or with a control, which settles the question.",
    tone: "warn",
  },
  lost: {
    title: "Outputs lost",
    meaning:
      "The same calls, up to this one, had outputs in the foreground; in this background run every check found none. It can't be excluded that the code raised an exception here and not there.",
    next: "The control's outputs are what this code prints. Next time start it held: that keeps its outputs.",
    tone: "bad",
  },
  unfinished: {
    title: "A call never finished",
    meaning:
      "A call has no outputs, and by its own status OpenAI never finished it. Calls that were finished have theirs, or show nothing.",
    next: "Run it again if you need what that call was to do.",
    tone: "warn",
  },
  pending: {
    title: "In flight",
    meaning: "The response was not checked after its end yet.",
    next: "Nothing to do: the verdict appears here when it is known.",
    tone: "busy",
  },
  no_calls: {
    title: "No calls",
    meaning: "The response ended without a call whose result could be lost.",
    next: "If you expected code or a search, ask for it in the input, and give the request that tool.",
    tone: "neutral",
  },
  not_found: {
    title: "OpenAI knows no such response",
    meaning:
      "Every check for a minute was answered with 404, and the response was never seen before.",
    next: "Check the id, and that the recorder's key belongs to the project that started the response.",
    tone: "warn",
  },
  gone: {
    title: "OpenAI has it no more",
    meaning:
      "The response was there, and then every check was answered with 404: for 10 minutes, or for 2 after a webhook or a break of its connection. Its end was never seen. What had come by then is below.",
    next: "Run it again if you need it; what it had done by then may be billed. Check again asks once more.",
    tone: "warn",
  },
  abandoned: {
    title: "Abandoned",
    meaning: "No end was seen within 24 hours.",
    next: "Check again if OpenAI says that the response has ended.",
    tone: "warn",
  },
};

/** The verdict of one call, in a line. */
export const CALL_VERDICTS: Record<CallVerdict, { meaning: string; tone: Tone }> = {
  captured: { meaning: "The first check after the end had its result.", tone: "good" },
  recovered: {
    meaning: "A later check, or another way to read the run, had its result.",
    tone: "good",
  },
  silent: { meaning: "It has no result, and nothing suggests one.", tone: "neutral" },
  suspect: {
    meaning: "It has no result, though its code, or the response, suggests one.",
    tone: "warn",
  },
  lost: {
    meaning: "It has no result, though the same calls, up to this one, had one in the foreground.",
    tone: "bad",
  },
  unfinished: {
    meaning: "It has no result, and never finished, by its own status.",
    tone: "warn",
  },
};

const ASKING = "Asking OpenAI…";

/** Nothing is known of the id yet, by whether OpenAI answered 404. */
export const UNSEEN: Record<"asking" | "not_found", Headline> = {
  asking: {
    title: ASKING,
    meaning: "Nothing is known of this id yet.",
    next: "Nothing to do: the answer appears here.",
    tone: "busy",
  },
  not_found: {
    title: ASKING,
    meaning: "Not found so far.",
    next: "A new response can be missing for a moment, so OpenAI is asked for a minute.",
    tone: "busy",
  },
};

const PENDING: Record<string, Headline> = {
  queued: { ...RUN_VERDICTS.pending, title: "Queued at OpenAI" },
  in_progress: { ...RUN_VERDICTS.pending, title: "Running at OpenAI" },
};

const ENDED_WITHOUT_CALLS: Record<string, Headline> = {
  failed: {
    title: "The response failed",
    meaning: "OpenAI ended it with an error before any code was run.",
    next: "The error below is OpenAI's. Run it again if the error is temporary.",
    tone: "bad",
  },
  cancelled: {
    title: "The response was cancelled",
    meaning: "It was ended on request before any code was run.",
    next: "Run it again if you still need it.",
    tone: "neutral",
  },
  incomplete: {
    title: "The response is incomplete",
    meaning: "OpenAI cut it off before any code was run, usually at max_output_tokens.",
    next: "Raise the limit and run it again.",
    tone: "warn",
  },
};

/** Colours of OpenAI's statuses; others are neutral. */
const STATUS_TONES: Record<string, Tone> = {
  queued: "busy",
  in_progress: "busy",
  completed: "good",
  failed: "bad",
  incomplete: "warn",
};

/** Whether a verdict says a status already: most runs have completed, and one in flight is in progress. */
export function isImpliedStatus(verdict: RunVerdict, status: string): boolean {
  if (UNSEEN_END.includes(verdict)) return true;
  return status === (verdict === "pending" ? "in_progress" : "completed");
}

/** Verdicts of runs whose end was never seen, so that the last status says nothing of it. */
const UNSEEN_END: readonly RunVerdict[] = ["not_found", "gone", "abandoned"];

/** OpenAI's statuses, for the list's filter. */
export const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"];

/** What a check by a channel did. */
export const CHANNELS: Record<Channel, string> = {
  refetch: "fetched the response again with include",
  stream: "read the response's events",
  conversation: "read the conversation's items",
  held: "read the events of the held connection",
  control: "ran the same request with background: false",
};

/** The names of checks, by their channel. */
export const CHECKS: Record<Channel, string> = {
  refetch: "fetched again",
  stream: "from its stream",
  conversation: "from its conversation",
  held: "from its held connection",
  control: "control",
};

/** Why a control did not end by itself, by its status. */
export const CONTROL_FAILURES: Record<string, string> = {
  not_run: "It was not sent: the Worker was interrupted after it had started the background run.",
  interrupted:
    "Its connection broke, or was closed by a cancel, before its end. Calls that were done by then are shown, and prove nothing. It is not run again, because it may have run to its end at OpenAI.",
  refused: "OpenAI refused it; the timeline has the HTTP status of its answer.",
  unreachable: "OpenAI did not answer it in time. It may still have run.",
};

/** What a check found of a call's result. */
export const RESULT_STATES: Record<ResultState, { words: string; tone: Tone }> = {
  populated: { words: "has outputs", tone: "good" },
  empty: { words: "empty", tone: "warn" },
  null: { words: "outputs null", tone: "warn" },
  absent: { words: "no outputs", tone: "warn" },
};

/** What started the recording of a run. */
export const STARTED_BY = {
  trigger: "this recorder",
  webhook: "other program (webhook)",
  refetch: "by id",
  v1: "SDK (/v1)",
} as const;

/** Of a response that OpenAI has no more. */
export const ONLY_COPY = "OpenAI has deleted its copy: this is the only one";

/** Stages of a run in flight, in order. */
export const STAGES = ["Created", "Waiting for the end", "Checking", "Finished checking"];

/** The same of a run with a Connection, by its kind. */
export const CONNECTION_STAGES: Record<RunConnection["kind"], string[]> = {
  held: ["Created", "Connection held", "Checking", "Finished checking"],
  followed: ["Created", "Stream followed", "Checking", "Finished checking"],
};

/** The headline of a run, by its verdict and its status. */
export function runHeadline(record: { verdict: RunVerdict; status: string | null }): Headline {
  const status = record.status ?? "";
  if (record.verdict === "pending") return PENDING[status] ?? RUN_VERDICTS.pending;
  if (record.verdict === "no_calls") return ENDED_WITHOUT_CALLS[status] ?? RUN_VERDICTS.no_calls;
  return RUN_VERDICTS[record.verdict];
}

/** The name of a verdict or a status as words. */
export function toWords(name: string): string {
  return name.replaceAll("_", " ");
}

/** The colour of one of OpenAI's statuses. */
export function statusTone(status: string | null): Tone {
  return STATUS_TONES[status ?? ""] ?? "neutral";
}
