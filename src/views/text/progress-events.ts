// A Workflow's event as a page may tell it. Only what is named here leaves: the history also holds the request.
import { ControlResult, RecorderParams, type Observation } from "../../record/schema.ts";
import { LookStep } from "../../workflows/hands.ts";
import { formatBreak } from "./held-connection.ts";
import { summarizeObservation } from "./observations.ts";
import type { Tone } from "./labels.ts";

/** What the page's script gets. */
export type ProgressEvent = {
  at: string;
  /** The stage that it belongs to, from 1. */
  stage: number;
  tone: Tone;
  text: string;
  /** Whether the page has something new to show. */
  news: boolean;
};

type EventText = Omit<ProgressEvent, "at" | "news"> & { news?: boolean };
type Event<Type extends string> = Extract<WorkflowInstanceEvent, { type: Type }>;

/** Events that are told in the same words each time. */
const EVENT_TEXTS: Partial<Record<WorkflowInstanceEvent["type"], EventText>> = {
  workflow_started: { stage: 1, tone: "neutral", text: "Created; its Recorder has started" },
  wait_completed: {
    stage: 2,
    tone: "neutral",
    text: "Woken: its webhook came, or somebody asked for a look",
  },
  workflow_completed: {
    stage: 4,
    tone: "good",
    text: "Settled: no look is planned any more",
    news: true,
  },
  workflow_errored: {
    stage: 4,
    tone: "bad",
    text: "The Recorder failed; its log says why",
    news: true,
  },
  workflow_terminated: { stage: 4, tone: "warn", text: "The Recorder was ended", news: true },
};

/** The same while a connection is held: no webhook will come. */
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
    text: "Woken: the connection has ended, or somebody asked for a look",
  },
};

/** Steps whose beginning is told. */
const STEP_STARTED_TEXTS: readonly [string, (name: string) => EventText][] = [
  ["look", (name) => ({ stage: 3, tone: "busy", text: `${name}: asking OpenAI` })],
  [
    "control",
    () => ({ stage: 2, tone: "busy", text: "The control runs: the same with background: false" }),
  ],
  ["find files", () => ({ stage: 3, tone: "busy", text: "Looking for files in the container" })],
];

/** Steps whose end is told in fixed words. */
const STEP_ENDED_TEXTS: readonly [string, string][] = [
  ["control", "The control ended"],
  ["store control", "The control is compared and stored"],
  ["file", "A file is kept"],
  ["store at last", "Woken too often: no look is planned any more"],
  ["store files", "The files are listed with the record"],
  ["forget", "Forgotten"],
];

/**
 * What tells one instance's events. A held run is told in other words until its connection has ended, so it must hear all of them, in order.
 * @returns Tells an event; null for what no reader needs.
 */
export function createEventFormatter(): (event: WorkflowInstanceEvent) => ProgressEvent | null {
  let held = false;
  return (event) => {
    held = isStillHeld(event, held);
    const said = formatEvent(event, held);
    if (said === null) return null;
    return { news: false, ...said, at: new Date(event.timestamp).toISOString() };
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
    return {
      stage: 3,
      tone: "warn",
      text: `${capitalize(stepBaseName(event.stepName))} failed; it is tried again`,
    };
  }
  return (held ? HELD_EVENT_TEXTS : EVENT_TEXTS)[event.type] ?? null;
}

function formatWait(event: Event<"wait_started">, held: boolean): EventText {
  if (held) return { stage: 2, tone: "busy", text: "Holding the connection until the run's end" };
  const first = stepBaseName(event.stepName) === "wait 1";
  const text = first ? "Waiting for OpenAI's webhook" : "Waiting before the next look";
  return { stage: 2, tone: "busy", text };
}

// Later waits are meant to end so.
function formatWaitTimeout(event: Event<"wait_timed_out">, held: boolean): EventText | null {
  if (held || stepBaseName(event.stepName) !== "wait 1") return null;
  return { stage: 2, tone: "warn", text: "No webhook came in time: looking without it" };
}

// While a connection is held, a look reads what it brought, or looks beside it.
function formatStepStart(event: Event<"step_started">, held: boolean): EventText | null {
  const name = stepBaseName(event.stepName);
  if (held && name.startsWith("look")) {
    return { stage: 2, tone: "busy", text: `${capitalize(name)} begins` };
  }
  const words = STEP_STARTED_TEXTS.find(([step]) => name.startsWith(step));
  return words === undefined ? null : words[1](capitalize(name));
}

function formatStepEnd(event: Event<"step_completed">, held: boolean): EventText | null {
  const name = stepBaseName(event.stepName);
  const seen = findObservation(event.output);
  if (seen?.channel === "held") return formatConnectionEnd(seen, findBreak(event.output));
  if (seen !== null) return { ...formatObservation(name, seen), ...(held ? { stage: 2 } : {}) };
  const words = STEP_ENDED_TEXTS.find(([step]) => name.startsWith(step));
  return words === undefined ? null : { stage: 3, tone: "neutral", text: words[1], news: true };
}

function findBreak(output: unknown): string | null {
  const look = LookStep.safeParse(output).data;
  return (look?.kind === "look" ? look.look.broke_at : look?.record.held?.broke_at) ?? null;
}

// A look's result, or a control's.
function findObservation(output: unknown): Observation | null {
  const look = LookStep.safeParse(output).data;
  if (look?.kind === "look") return look.look.observation;
  if (look?.kind === "stored") return look.record.observations.at(-1) ?? null;
  return ControlResult.safeParse(output).data?.observation ?? null;
}

function formatConnectionEnd(seen: Observation, brokeAt: string | null): EventText {
  const words = brokeAt === null ? "was held to its end" : formatBreak(brokeAt);
  const text = `The connection ${words}: ${summarizeObservation(seen)}`;
  return { stage: 3, tone: brokeAt === null ? "neutral" : "warn", text, news: true };
}

function formatObservation(name: string, seen: Observation): EventText {
  const missed = seen.http_status === null || seen.http_status >= 400;
  const control = seen.channel === "control";
  const who = control ? "The control ended" : `${capitalize(name)} by ${seen.channel}`;
  const text = `${who}: ${summarizeObservation(seen)}`;
  return { stage: control ? 2 : 3, tone: missed ? "warn" : "neutral", text, news: !control };
}

// The engine counts steps of one name: "look 1-1".
function stepBaseName(step: string): string {
  return step.replace(/-\d+$/, "");
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
