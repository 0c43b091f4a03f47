// A Workflow's event as a page may tell it. Only what is named here leaves: the history also holds the request.
import type { Observation } from "../record.ts";
import { LookStep, Ran } from "../recorder.ts";
import { sightOf } from "./timeline.tsx";
import type { Tone } from "./words.ts";

/** What the page's script gets. */
export type Told = {
  at: string;
  /** The stage that it belongs to, from 1. */
  stage: number;
  tone: Tone;
  text: string;
  /** Whether the page has something new to show. */
  news: boolean;
};

type Said = Omit<Told, "at" | "news"> & { news?: boolean };
type Event<Type extends string> = Extract<WorkflowInstanceEvent, { type: Type }>;

/** Events that are told in the same words each time. */
const WORDS: Partial<Record<WorkflowInstanceEvent["type"], Said>> = {
  workflow_started: { stage: 1, tone: "calm", text: "Created; its Recorder has started" },
  wait_completed: {
    stage: 2,
    tone: "calm",
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

/** Steps whose beginning is told. */
const BEGUN: readonly [string, (name: string) => Said][] = [
  ["look", (name) => ({ stage: 3, tone: "busy", text: `${name}: asking OpenAI` })],
  [
    "control",
    () => ({ stage: 2, tone: "busy", text: "The control runs: the same with background: false" }),
  ],
  ["find files", () => ({ stage: 3, tone: "busy", text: "Looking for files in the container" })],
];

/** Steps whose end is told in fixed words. */
const DONE: readonly [string, string][] = [
  ["control", "The control ended"],
  ["store control", "The control is compared and stored"],
  ["file", "A file is kept"],
  ["store at last", "Woken too often: no look is planned any more"],
  ["store files", "The files are listed with the record"],
  ["forget", "Forgotten"],
];

/**
 * Tells an event.
 * @param event The Workflow instance's.
 * @returns Null for what no reader needs.
 */
export function told(event: WorkflowInstanceEvent): Told | null {
  const said = say(event);
  if (said === null) return null;
  return { news: false, ...said, at: new Date(event.timestamp).toISOString() };
}

function say(event: WorkflowInstanceEvent): Said | null {
  if (event.type === "step_started") return begun(event);
  if (event.type === "step_completed") return done(event);
  if (event.type === "wait_started") return waiting(event);
  if (event.type === "wait_timed_out") return unheard(event);
  if (event.type === "attempt_errored") {
    return {
      stage: 3,
      tone: "warn",
      text: `${upper(named(event.stepName))} failed; it is tried again`,
    };
  }
  return WORDS[event.type] ?? null;
}

function waiting(event: Event<"wait_started">): Said {
  const first = named(event.stepName) === "wait 1";
  const text = first ? "Waiting for OpenAI's webhook" : "Waiting before the next look";
  return { stage: 2, tone: "busy", text };
}

// Later waits are meant to end so.
function unheard(event: Event<"wait_timed_out">): Said | null {
  if (named(event.stepName) !== "wait 1") return null;
  return { stage: 2, tone: "warn", text: "No webhook came in time: looking without it" };
}

function begun(event: Event<"step_started">): Said | null {
  const name = named(event.stepName);
  const words = BEGUN.find(([step]) => name.startsWith(step));
  return words === undefined ? null : words[1](upper(name));
}

function done(event: Event<"step_completed">): Said | null {
  const name = named(event.stepName);
  const seen = observationOf(event.output);
  if (seen !== null) return saw(name, seen);
  const words = DONE.find(([step]) => name.startsWith(step));
  return words === undefined ? null : { stage: 3, tone: "calm", text: words[1], news: true };
}

// A look's result, or a control's.
function observationOf(output: unknown): Observation | null {
  const look = LookStep.safeParse(output).data;
  if (look?.kind === "look") return look.look.observation;
  if (look?.kind === "stored") return look.record.observations.at(-1) ?? null;
  return Ran.safeParse(output).data?.observation ?? null;
}

function saw(name: string, seen: Observation): Said {
  const http = seen.http_status === null ? "no answer" : `HTTP ${seen.http_status}`;
  const parts = [http, seen.status ?? "", sightOf(seen)].filter((part) => part !== "");
  const missed = seen.http_status === null || seen.http_status >= 400;
  const control = seen.channel === "control";
  const who = control ? "The control ended" : `${upper(name)} by ${seen.channel}`;
  const text = `${who}: ${parts.join(", ")}`;
  return { stage: control ? 2 : 3, tone: missed ? "warn" : "calm", text, news: !control };
}

// The engine counts steps of one name: "look 1-1".
function named(step: string): string {
  return step.replace(/-\d+$/, "");
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
