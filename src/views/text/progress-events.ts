// Formats a run's progress for its page.
import type { ProgressUpdate } from "../../record/progress.ts";
import { isTerminal } from "../../record/reducer.ts";
import type { Observation } from "../../record/schema.ts";
import { formatBreak, type ConnectionKind } from "./connection.ts";
import { nameCheck, summarizeObservation } from "./observations.ts";
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
  refetch_requested: { ...RECEIVED, text: "A check was requested" },
  cancel_requested: { ...RECEIVED, text: "OpenAI accepted the cancel" },
  status_seen: { ...RECEIVED, changed: true, text: "OpenAI shows a new status" },
  reopened: { ...RECEIVED, text: "The run is checked again" },
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
    text: "Finished checking",
  },
  failed: { stage: 3, tone: "warn", changed: false, text: "A step failed; it will be retried" },
};

/** Texts of a run with a Connection, by its kind. */
const CONNECTION_TEXTS: Record<ConnectionKind, { started: string; ended: string; wait: string }> = {
  held: {
    started: "Created; the connection to OpenAI is held",
    ended: "The held connection has ended",
    wait: "Holding the connection until the run's end",
  },
  followed: {
    started: "Created; its stream is followed",
    ended: "The followed stream has ended",
    wait: "The stream is followed until the run's end",
  },
};

const WAITS = {
  webhook: "Waiting for OpenAI's webhook",
  observation: "Waiting before the next check",
  control: "The control is running: the same request with background: false",
} as const;

/** Formats an update; null for one that no reader needs. */
export function formatProgress(update: ProgressUpdate): RunEvent | null {
  const text = toText(update);
  return text === null ? null : { ...text, at: update.at };
}

/** What the Recorder waits for after an update; null when it works, or has nothing to wait for. */
export function formatWait(update: ProgressUpdate): RunEvent | null {
  const { at, waits_for: waitsFor } = update;
  if (waitsFor === null) return null;
  const text = waitsFor === "connection" ? toConnectionTexts(update).wait : WAITS[waitsFor];
  return { at, stage: 2, tone: "busy", text, changed: false };
}

// A connection that could not be read may report late: only a held one does.
function toConnectionTexts({ connection }: ProgressUpdate) {
  return CONNECTION_TEXTS[connection ?? "held"];
}

function toText(update: ProgressUpdate): EventText | null {
  const { type, connection } = update;
  if (type === "started" && connection !== null) {
    return { ...STARTED, text: CONNECTION_TEXTS[connection].started };
  }
  if (type === "connection_ended") return { ...RECEIVED, text: toConnectionTexts(update).ended };
  if (type === "observing") return formatStart(update);
  if (type === "observed") return formatObservation(update);
  if (type === "control_ended") return formatControl(update.observation);
  return TEXTS[type] ?? null;
}

// While a run has a Connection, an observation reads what that brought, or refetches in addition to it.
function formatStart(update: ProgressUpdate): EventText {
  const text = `Check ${update.number}`;
  if (readsConnection(update)) {
    return { stage: 2, tone: "busy", text: `${text} begins`, changed: false };
  }
  const stage = update.connection === null ? 3 : 2;
  return { stage, tone: "busy", text: `${text}: asking OpenAI`, changed: false };
}

function formatObservation(update: ProgressUpdate): EventText | null {
  const { observation: seen, connection, number } = update;
  if (seen === null) return null;
  if (readsConnection(update)) return formatConnectionEnd(seen, update);
  const text = `${nameCheck(number, seen.channel)}: ${summarizeObservation(seen)}`;
  return { stage: connection === null ? 3 : 2, tone: toTone(seen), text, changed: true };
}

// Without a Connection the channel `stream` is a replay.
function readsConnection({ channel, connection }: ProgressUpdate): boolean {
  return channel === "held" || (channel === "stream" && connection === "followed");
}

function formatConnectionEnd(seen: Observation, { connection, broke_at }: ProgressUpdate) {
  const isFollowed = connection === "followed";
  const isWhole = isFollowed ? isTerminal(seen.status) : broke_at === null;
  const end = isFollowed ? formatStreamEnd(isWhole) : formatHeldEnd(broke_at);
  const text = `${end}: ${summarizeObservation(seen)}`;
  return { stage: 3, tone: isWhole ? "neutral" : "warn", text, changed: true } as const;
}

function formatHeldEnd(brokeAt: string | null): string {
  return `The connection ${brokeAt === null ? "was held to its end" : formatBreak(brokeAt)}`;
}

function formatStreamEnd(isWhole: boolean): string {
  return isWhole
    ? "The stream was followed to its end"
    : "The stream broke before the run's end, and the run is fetched by its id";
}

function formatControl(seen: Observation | null): EventText {
  if (seen === null)
    return { stage: 2, tone: "warn", text: "The control did not run", changed: true };
  const end = describeControlEnd(seen);
  const text = `The control ${end}: ${summarizeObservation(seen)}`;
  return { stage: 2, tone: toTone(seen), text, changed: true };
}

function describeControlEnd({ http_status: http, status }: Observation): string {
  const isInterrupted = http === 200 && !isTerminal(status);
  return isInterrupted ? "was interrupted" : "ended";
}

function toTone({ http_status: status }: Observation): Tone {
  return status === null || status >= 400 ? "warn" : "neutral";
}
