// Runs the Recorder workflow for one response on the stand-in for the engine, in virtual time and without faults. A test scripts OpenAI's answers and the events.
import { createRecord } from "../../../src/record/reducer.ts";
import type {
  Channel,
  StoredRecord,
  ObservationResult,
  Policy,
  ObservedCall,
  RecorderParams,
  RecorderEvent,
  Webhook,
} from "../../../src/record/schema.ts";
import type { Hands, Outcome } from "../../../src/workflows/hands.ts";
import { Clock, toTime } from "./clock.ts";
import { Instance } from "./engine.ts";

/** An event that is sent to the Recorder, and the seconds after the start at which it is. */
export type ScenarioEvent = { at: number; event: RecorderEvent };

export type ScriptedAnswer = {
  http: number | null;
  status?: string;
  outputs?: "populated" | "empty" | "null";
  code?: string;
  refused?: boolean;
  retryAfter?: number;
  /** Whether the response's metadata has the options of a trigger. */
  ours?: boolean;
};

/**
 * Returns OpenAI's answer to an observation.
 * @param seconds Seconds after the start.
 * @param observation Which observation it is, from 1.
 */
export type AnswerScript = (seconds: number, observation: number) => ScriptedAnswer;

export type ScenarioResult = {
  outcome: Outcome;
  /** Seconds after the start of each observation. */
  observedAt: number[];
  channels: Channel[];
  stored: StoredRecord[];
  listed: StoredRecord[];
  steps: string[];
};

type Scenario = {
  events?: ScenarioEvent[];
  policy?: Partial<Policy>;
  start?: Partial<RecorderParams>;
  /** The record that an earlier instance stored. */
  stored?: StoredRecord | undefined;
  /** Seconds after the start at which a control ends. */
  controlEnds?: number;
};

/**
 * Runs a response to its end.
 * @param scenario What differs from a trigger without a webhook.
 */
export async function runScenario(
  script: AnswerScript,
  scenario: Scenario = {},
): Promise<ScenarioResult> {
  const clock = new Clock();
  const seen: Seen = { observedAt: [], channels: [], stored: [], listed: [] };
  const send = (event: RecorderEvent) => instance.send(event);
  const hands = createActivities(clock, script, scenario, seen, send);
  const instance = new Instance(
    { ...TRIGGER_PARAMS, ...scenario.start },
    {
      clock,
      policy: { ...TRIGGER_PARAMS.policy, ...scenario.policy },
      hands: () => hands,
      crashes: () => false,
      random: () => 0,
      log: () => undefined,
    },
  );
  for (const { at, event } of scenario.events ?? []) clock.after(at, () => send(event));
  instance.begin();
  await clock.run();
  if (instance.outcome === null) throw new Error(instance.failed ?? "The run never ended.");
  return { ...seen, outcome: instance.outcome, steps: [...instance.begun] };
}

type Seen = Pick<ScenarioResult, "observedAt" | "channels" | "stored" | "listed">;

function createActivities(
  clock: Clock,
  script: AnswerScript,
  { stored, controlEnds = 0 }: Scenario,
  seen: Seen,
  send: (event: RecorderEvent) => void,
): Hands {
  return {
    async look(_record, channel) {
      seen.channels.push(channel);
      seen.observedAt.push(clock.now);
      const answer = script(clock.now, seen.observedAt.length);
      const result = toObservationResult(answer, clock.now);
      result.observation.channel = channel;
      return { result, chunks: null, outputs: null };
    },
    async store(record) {
      seen.stored.push(record);
    },
    async list(record) {
      seen.listed.push(record);
    },
    async recall() {
      return stored ?? null;
    },
    async control() {
      await new Promise<void>((resolve) => clock.after(controlEnds, resolve));
      const refused = { http_status: 500, status: null, request_id: null, calls: [] };
      return {
        observation: { at: toTime(clock.now), channel: "control", ...refused },
        control: { id: null, status: "refused", calls: [] },
        outputs: [],
      };
    },
    async keep() {},
    async forget() {},
    async wake(_id, kind) {
      send({ kind, at: toTime(clock.now) });
    },
    async findFiles() {
      return [];
    },
    isToCopy: () => false,
    async saveFile(_id, file) {
      return file;
    },
  };
}

/** Returns a webhook that is received at a time. */
export function createWebhook(seconds: number): Webhook {
  return { id: "wh_1", type: "response.completed", received_at: toTime(seconds) };
}

/** Returns the event of a webhook. */
export function webhookAt(seconds: number): ScenarioEvent {
  return { at: seconds, event: { kind: "webhook", webhook: createWebhook(seconds) } };
}

/** The parameters of a Recorder that a trigger starts. */
export const TRIGGER_PARAMS: RecorderParams = {
  id: "resp_1",
  at: toTime(0),
  started_by: "trigger",
  policy: { deadline_seconds: 120, delays_seconds: [5, 20, 60, 180, 300], record_external: true },
  options: { include: [], replay: false, control: false, hold: false, retention_days: null },
  request: {},
  created: { status: "queued", model: "m", background: true, store: true, created_at: toTime(0) },
  webhook: null,
  control: null,
  holder: null,
  action: null,
};

function toObservationResult(answer: ScriptedAnswer, seconds: number): ObservationResult {
  const calls = toCalls(answer);
  const hasResponse = answer.status !== undefined;
  return {
    observation: {
      at: toTime(seconds),
      channel: "refetch",
      http_status: answer.http,
      status: answer.status ?? null,
      request_id: null,
      calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    fields: hasResponse
      ? {
          status: answer.status ?? "",
          model: "m",
          background: true,
          store: null,
          created_at: toTime(0),
          completed_at: null,
          options: answer.ours === true ? TRIGGER_PARAMS.options : null,
          metadata: {},
          error: null,
          conversation: null,
          containers: [],
          cited_files: [],
        }
      : null,
    calls: hasResponse ? calls : null,
    body: null,
    error: hasResponse ? null : { code: `http_${answer.http ?? "none"}`, message: "refused" },
    refused: answer.refused ?? false,
    retry_after_seconds: answer.retryAfter ?? null,
    broke_at: null,
  };
}

function toCalls({ outputs, code = "print(1)" }: ScriptedAnswer): ObservedCall[] {
  if (outputs === undefined) return [];
  return [{ id: "ci_1", container_id: null, code, state: outputs }];
}

/** Returns the record of a triggered response that has not been observed. */
export function createTestRecord(): StoredRecord {
  return createRecord(TRIGGER_PARAMS);
}

/** Returns a refetch that shows some calls; the status is `completed` by default. */
export function createObservation(
  seconds: number,
  { status = "completed", calls }: { status?: string; calls: ObservedCall[] },
): ObservationResult {
  const result = toObservationResult({ http: 200, status }, seconds);
  const observed = calls.map((call) => ({ id: call.id, outputs: call.state }));
  return { ...result, observation: { ...result.observation, calls: observed }, calls };
}
