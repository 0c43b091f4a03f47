// Formats a run's progress for its page.
import type { ProgressUpdate } from "../../record/progress.ts";
import type { Observation } from "../../record/schema.ts";
import { formatBreak } from "./held-connection.ts";
import { summarizeObservation } from "./observations.ts";
import type { Tone } from "./labels.ts";

/** An event as the page's script receives it. */
export type RunEvent = {
  at: string;
  /** The stage of the run that it belongs to, from 1. */
  stage: number;
  tone: Tone;
  text: string;
  /** Whether the record changed, so that the page has to be fetched again. */
  changed: boolean;
};

type EventText = Omit<RunEvent, "at">;

const STARTED = { stage: 1, tone: "neutral", changed: false } as const;
const RECEIVED = { stage: 2, tone: "neutral", changed: false } as const;
const CHANGED = { stage: 3, tone: "neutral", changed: true } as const;

/** Updates with a fixed text. */
const TEXTS: Partial<Record<ProgressUpdate["type"], EventText>> = {
  started: { ...STARTED, text: "Created; the Recorder has started" },
  webhook: { ...RECEIVED, text: "Webhook received" },
  refetch_requested: { ...RECEIVED, text: "Refetch requested" },
  cancel_requested: { ...RECEIVED, text: "OpenAI accepted the cancel" },
  connection_ended: { ...RECEIVED, text: "The held connection has ended" },
  reopened: { ...RECEIVED, text: "The run is observed again" },
  finding_files: {
    ...CHANGED,
    tone: "busy",
    changed: false,
    text: "Listing the container's files",
  },
  files_found: { ...CHANGED, changed: false, text: "The container's files were listed" },
  file_copied: { ...CHANGED, text: "A file was processed" },
  files_done: { ...CHANGED, text: "The files were added to the record" },
  stored: { ...CHANGED, changed: false, text: "The record was stored" },
  settled: {
    stage: 4,
    tone: "good",
    changed: true,
    text: "Settled: no observation is planned any more",
  },
  failed: { stage: 3, tone: "warn", changed: false, text: "A step failed; it will be retried" },
};

const WAITS = {
  webhook: "Waiting for OpenAI's webhook",
  connection: "Holding the connection until the run's end",
  observation: "Waiting before the next observation",
  control: "The control is running: the same request with background: false",
} as const satisfies Record<NonNullable<ProgressUpdate["waits_for"]>, string>;

/** Formats an update; null for one that no reader needs. */
export function formatProgress(update: ProgressUpdate): RunEvent | null {
  const text = toText(update);
  return text === null ? null : { ...text, at: update.at };
}

/** What the Recorder waits for after an update; null when it works, or has nothing to wait for. */
export function formatWait({ at, waits_for: waitsFor }: ProgressUpdate): RunEvent | null {
  if (waitsFor === null) return null;
  return { at, stage: 2, tone: "busy", text: WAITS[waitsFor], changed: false };
}

function toText(update: ProgressUpdate): EventText | null {
  const { type, held } = update;
  if (type === "started" && held) {
    return { ...STARTED, text: "Created; the connection to OpenAI is held" };
  }
  if (type === "observing") return formatStart(update);
  if (type === "observed") return formatObservation(update);
  if (type === "control_ended") return formatControl(update.observation);
  return TEXTS[type] ?? null;
}

// While a connection is held, an observation reads what the connection brought, or refetches in addition to it.
function formatStart({ number, channel, held }: ProgressUpdate): EventText {
  const text = `Observation ${number}`;
  if (channel === "held") return { stage: 2, tone: "busy", text: `${text} begins`, changed: false };
  const stage = held ? 2 : 3;
  return { stage, tone: "busy", text: `${text}: fetching from OpenAI`, changed: false };
}

function formatObservation(update: ProgressUpdate): EventText | null {
  const { observation: seen, held, number } = update;
  if (seen === null) return null;
  if (seen.channel === "held") return formatConnectionEnd(seen, update.broke_at);
  const text = `Observation ${number} by ${seen.channel}: ${summarizeObservation(seen)}`;
  return { stage: held ? 2 : 3, tone: toTone(seen), text, changed: true };
}

function formatConnectionEnd(seen: Observation, brokeAt: string | null): EventText {
  const end = brokeAt === null ? "was held to its end" : formatBreak(brokeAt);
  const text = `The connection ${end}: ${summarizeObservation(seen)}`;
  return { stage: 3, tone: brokeAt === null ? "neutral" : "warn", text, changed: true };
}

function formatControl(seen: Observation | null): EventText {
  if (seen === null)
    return { stage: 2, tone: "warn", text: "The control did not run", changed: true };
  const text = `The control ended: ${summarizeObservation(seen)}`;
  return { stage: 2, tone: toTone(seen), text, changed: true };
}

function toTone({ http_status: status }: Observation): Tone {
  return status === null || status >= 400 ? "warn" : "neutral";
}
