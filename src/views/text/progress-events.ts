// Formats the events of a Recorder's Workflow for the page of a run. The history also contains the request, so only the fields that are built here leave the Worker.
import { ControlResult, RecorderParams, type Observation } from "../../record/schema.ts";
import { LookStep } from "../../workflows/hands.ts";
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

type EventText = Omit<RunEvent, "at" | "changed"> & { changed?: boolean };
type Event<Type extends string> = Extract<WorkflowInstanceEvent, { type: Type }>;

/** Events with a fixed text. */
const EVENT_TEXTS: Partial<Record<WorkflowInstanceEvent["type"], EventText>> = {
  workflow_started: { stage: 1, tone: "neutral", text: "Created; the Recorder has started" },
  wait_completed: {
    stage: 2,
    tone: "neutral",
    text: "Event received: the webhook, or a request to refetch",
  },
  workflow_completed: {
    stage: 4,
    tone: "good",
    text: "Settled: no observation is planned any more",
    changed: true,
  },
  workflow_errored: {
    stage: 4,
    tone: "bad",
    text: "The Recorder failed; its log says why",
    changed: true,
  },
  workflow_terminated: { stage: 4, tone: "warn", text: "The Recorder was stopped", changed: true },
};

/** The same while a connection is held. No webhook will come then. */
const HELD_EVENT_TEXTS: typeof EVENT_TEXTS = {
  ...EVENT_TEXTS,
  workflow_started: {
    stage: 1,
    tone: "neutral",
    text: "Created; the connection to OpenAI is held",
  },
  wait_completed: {
    stage: 2,
    tone: "neutral",
    text: "Event received: the end of the connection, or a request to refetch",
  },
};

/** Steps whose start is shown, by the beginning of their name. */
const STEP_STARTED_TEXTS: readonly [string, (label: string) => EventText][] = [
  ["look", (label) => ({ stage: 3, tone: "busy", text: `${label}: fetching from OpenAI` })],
  [
    "control",
    () => ({
      stage: 2,
      tone: "busy",
      text: "The control is running: the same request with background: false",
    }),
  ],
  ["find files", () => ({ stage: 3, tone: "busy", text: "Listing the container's files" })],
];

/** Steps whose end is shown with a fixed text, by the beginning of their name. */
const STEP_ENDED_TEXTS: readonly [string, string][] = [
  ["control", "The control ended"],
  ["store control", "The control was compared and stored"],
  ["file", "A file was processed"],
  ["store at last", "Too many events: no observation is planned any more"],
  ["store files", "The files were added to the record"],
  ["forget", "Deleted"],
];

/** What a step does, by the beginning of its name. */
const STEP_LABELS: readonly [string, string][] = [
  ["look", "Observation"],
  ["control", "The control"],
  ["find files", "Listing the container's files"],
  ["file", "Copying a file"],
  ["store", "Storing the record"],
  ["list", "Updating the list"],
  ["recall", "Reading the record"],
  ["forget", "Deleting the record"],
];

/**
 * Creates a formatter for the events of one Workflow instance. The texts of a held run differ until its connection ends, so the formatter must get all events, in order.
 * @returns Formats one event; null for an event that no reader needs.
 */
export function createEventFormatter(): (event: WorkflowInstanceEvent) => RunEvent | null {
  let held = false;
  return (event) => {
    held = isStillHeld(event, held);
    const formatted = formatEvent(event, held);
    if (formatted === null) return null;
    return { changed: false, ...formatted, at: new Date(event.timestamp).toISOString() };
  };
}

function isStillHeld(event: WorkflowInstanceEvent, held: boolean): boolean {
  if (event.type === "workflow_started") {
    return (RecorderParams.safeParse(event.params).data?.holder ?? null) !== null;
  }
  if (event.type !== "step_completed") return held;
  return held && findObservation(event.output)?.channel !== "held";
}

function formatEvent(event: WorkflowInstanceEvent, held: boolean): EventText | null {
  if (event.type === "step_started") return formatStepStart(event, held);
  if (event.type === "step_completed") return formatStepEnd(event, held);
  if (event.type === "wait_started") return formatWait(event, held);
  if (event.type === "wait_timed_out") return formatWaitTimeout(event, held);
  if (event.type === "attempt_errored") {
    const name = parseStepName(event.stepName);
    // A control is never retried: it may have run, and is billed.
    const consequence = name === "control" ? "" : "; it will be retried";
    return { stage: 3, tone: "warn", text: `${toStepLabel(name)} failed${consequence}` };
  }
  return (held ? HELD_EVENT_TEXTS : EVENT_TEXTS)[event.type] ?? null;
}

function formatWait(event: Event<"wait_started">, held: boolean): EventText {
  if (held) return { stage: 2, tone: "busy", text: "Holding the connection until the run's end" };
  const isFirst = parseStepName(event.stepName) === "wait 1";
  const text = isFirst ? "Waiting for OpenAI's webhook" : "Waiting before the next observation";
  return { stage: 2, tone: "busy", text };
}

// Every later wait ends by its timeout, as planned.
function formatWaitTimeout(event: Event<"wait_timed_out">, held: boolean): EventText | null {
  if (held || parseStepName(event.stepName) !== "wait 1") return null;
  return { stage: 2, tone: "warn", text: "No webhook in time: refetching without it" };
}

// While a connection is held, an observation reads what the connection brought, or refetches in addition to it.
function formatStepStart(event: Event<"step_started">, held: boolean): EventText | null {
  const name = parseStepName(event.stepName);
  if (held && name.startsWith("look")) {
    return { stage: 2, tone: "busy", text: `${toStepLabel(name)} begins` };
  }
  const found = STEP_STARTED_TEXTS.find(([step]) => name.startsWith(step));
  return found === undefined ? null : found[1](toStepLabel(name));
}

function formatStepEnd(event: Event<"step_completed">, held: boolean): EventText | null {
  const name = parseStepName(event.stepName);
  const seen = findObservation(event.output);
  if (seen?.channel === "held") return formatConnectionEnd(seen, findBreak(event.output));
  if (seen !== null) return { ...formatObservation(name, seen), ...(held ? { stage: 2 } : {}) };
  const found = STEP_ENDED_TEXTS.find(([step]) => name.startsWith(step));
  return found === undefined ? null : { stage: 3, tone: "neutral", text: found[1], changed: true };
}

function findBreak(output: unknown): string | null {
  const result = LookStep.safeParse(output).data;
  return (result?.kind === "look" ? result.look.broke_at : result?.record.held?.broke_at) ?? null;
}

// A step's output is the result of an observation, of a control, or neither.
function findObservation(output: unknown): Observation | null {
  const result = LookStep.safeParse(output).data;
  if (result?.kind === "look") return result.look.observation;
  if (result?.kind === "stored") return result.record.observations.at(-1) ?? null;
  return ControlResult.safeParse(output).data?.observation ?? null;
}

function formatConnectionEnd(seen: Observation, brokeAt: string | null): EventText {
  const end = brokeAt === null ? "was held to its end" : formatBreak(brokeAt);
  const text = `The connection ${end}: ${summarizeObservation(seen)}`;
  return { stage: 3, tone: brokeAt === null ? "neutral" : "warn", text, changed: true };
}

function formatObservation(name: string, seen: Observation): EventText {
  const failed = seen.http_status === null || seen.http_status >= 400;
  const tone = failed ? "warn" : "neutral";
  const summary = summarizeObservation(seen);
  if (seen.channel === "control") return { stage: 2, tone, text: `The control ended: ${summary}` };
  const text = `${toStepLabel(name)} by ${seen.channel}: ${summary}`;
  return { stage: 3, tone, text, changed: true };
}

// The engine appends a count to the name of each step: "look 1-1".
function parseStepName(step: string): string {
  return step.replace(/-\d+$/, "");
}

// Only observations are counted for readers.
function toStepLabel(name: string): string {
  const label = STEP_LABELS.find(([step]) => name.startsWith(step))?.[1] ?? "A step";
  return label === "Observation" ? `${label} ${name.slice("look ".length)}` : label;
}
