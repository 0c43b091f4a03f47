// A Workflow's event as a page may tell it. Only what is named here leaves: the history also holds the request.
import { Start, type Observation } from "../../record/schema.ts";
import { LookStep, Ran } from "../../workflows/hands.ts";
import { breakWords } from "../components/held-connection.tsx";
import { answerOf, sightOf } from "../components/timeline.tsx";
import type { Tone } from "./labels.ts";

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

/** The same while a connection is held: no webhook will come. */
const WHILE_HELD: typeof WORDS = {
  ...WORDS,
  workflow_started: { stage: 1, tone: "calm", text: "Created; the connection to OpenAI is held" },
  wait_completed: {
    stage: 2,
    tone: "calm",
    text: "Woken: the connection has ended, or somebody asked for a look",
  },
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
 * What tells one instance's events. A held run is told in other words until its connection has ended, so it must hear all of them, in order.
 * @returns Tells an event; null for what no reader needs.
 */
export function teller(): (event: WorkflowInstanceEvent) => Told | null {
  let held = false;
  return (event) => {
    held = isHeldAfter(event, held);
    const said = say(event, held);
    if (said === null) return null;
    return { news: false, ...said, at: new Date(event.timestamp).toISOString() };
  };
}

function isHeldAfter(event: WorkflowInstanceEvent, held: boolean): boolean {
  if (event.type === "workflow_started") {
    return (Start.safeParse(event.params).data?.holder ?? null) !== null;
  }
  if (event.type !== "step_completed") return held;
  return held && observationOf(event.output)?.channel !== "held";
}

function say(event: WorkflowInstanceEvent, held: boolean): Said | null {
  if (event.type === "step_started") return begun(event, held);
  if (event.type === "step_completed") return done(event, held);
  if (event.type === "wait_started") return waiting(event, held);
  if (event.type === "wait_timed_out") return unheard(event, held);
  if (event.type === "attempt_errored") {
    return {
      stage: 3,
      tone: "warn",
      text: `${upper(named(event.stepName))} failed; it is tried again`,
    };
  }
  return (held ? WHILE_HELD : WORDS)[event.type] ?? null;
}

function waiting(event: Event<"wait_started">, held: boolean): Said {
  if (held) return { stage: 2, tone: "busy", text: "Holding the connection until the run's end" };
  const first = named(event.stepName) === "wait 1";
  const text = first ? "Waiting for OpenAI's webhook" : "Waiting before the next look";
  return { stage: 2, tone: "busy", text };
}

// Later waits are meant to end so.
function unheard(event: Event<"wait_timed_out">, held: boolean): Said | null {
  if (held || named(event.stepName) !== "wait 1") return null;
  return { stage: 2, tone: "warn", text: "No webhook came in time: looking without it" };
}

// While a connection is held, a look reads what it brought, or looks beside it.
function begun(event: Event<"step_started">, held: boolean): Said | null {
  const name = named(event.stepName);
  if (held && name.startsWith("look")) {
    return { stage: 2, tone: "busy", text: `${upper(name)} begins` };
  }
  const words = BEGUN.find(([step]) => name.startsWith(step));
  return words === undefined ? null : words[1](upper(name));
}

function done(event: Event<"step_completed">, held: boolean): Said | null {
  const name = named(event.stepName);
  const seen = observationOf(event.output);
  if (seen?.channel === "held") return heard(seen, breakOf(event.output));
  if (seen !== null) return { ...saw(name, seen), ...(held ? { stage: 2 } : {}) };
  const words = DONE.find(([step]) => name.startsWith(step));
  return words === undefined ? null : { stage: 3, tone: "calm", text: words[1], news: true };
}

function breakOf(output: unknown): string | null {
  const look = LookStep.safeParse(output).data;
  return (look?.kind === "look" ? look.look.broke_at : look?.record.held?.broke_at) ?? null;
}

// A look's result, or a control's.
function observationOf(output: unknown): Observation | null {
  const look = LookStep.safeParse(output).data;
  if (look?.kind === "look") return look.look.observation;
  if (look?.kind === "stored") return look.record.observations.at(-1) ?? null;
  return Ran.safeParse(output).data?.observation ?? null;
}

function heard(seen: Observation, brokeAt: string | null): Said {
  const words = brokeAt === null ? "was held to its end" : breakWords(brokeAt);
  const text = `The connection ${words}: ${partsOf(seen)}`;
  return { stage: 3, tone: brokeAt === null ? "calm" : "warn", text, news: true };
}

function partsOf(seen: Observation): string {
  const parts = [answerOf(seen), seen.status ?? "", sightOf(seen)];
  return parts.filter((part) => part !== "").join(", ");
}

function saw(name: string, seen: Observation): Said {
  const missed = seen.http_status === null || seen.http_status >= 400;
  const control = seen.channel === "control";
  const who = control ? "The control ended" : `${upper(name)} by ${seen.channel}`;
  const text = `${who}: ${partsOf(seen)}`;
  return { stage: control ? 2 : 3, tone: missed ? "warn" : "calm", text, news: !control };
}

// The engine counts steps of one name: "look 1-1".
function named(step: string): string {
  return step.replace(/-\d+$/, "");
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
