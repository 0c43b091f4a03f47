// Runs one Recorder in virtual time and without faults. A test scripts OpenAI's answers, the calls, and the effects that fail.
import { toCodeCall } from "../../support/code-call.ts";
import type { CallEvent, Effect, ResultEvent } from "../../../src/record/events.ts";
import { DEFAULT_LIMITS, type Policy } from "../../../src/record/policy.ts";
import { createRecord } from "../../../src/record/reducer.ts";
import { isListed } from "../../../src/record/schedule.ts";
import {
  NO_RESULT,
  type Channel,
  type ControlResult,
  type FileEntry,
  type ObservationResult,
  type ObservedCall,
  type RecorderParams,
  type StoredRecord,
  type Webhook,
} from "../../../src/record/schema.ts";
import type { State } from "../../../src/record/state.ts";
import { Clock, toTime } from "../../resilience/simulation/clock.ts";
import { RecorderObject } from "../../resilience/simulation/recorder-object.ts";

/** A call, and the seconds after the start at which it comes. */
export type ScenarioEvent = { at: number; event: CallEvent };

export type ScriptedAnswer = {
  http: number | null;
  status?: string;
  outputs?: "populated" | "empty" | "null" | undefined;
  code?: string;
  /** The call's own status; completed by default. */
  callStatus?: string | null;
  error?: { code: string; message: string };
  /** Seconds after the start at which it ended. */
  completedAt?: number;
  /** It has no items, though it counts tokens. */
  lacksItems?: boolean;
  refused?: boolean;
  retryAfter?: number;
  /** Whether the response's metadata has the options of a trigger. */
  ours?: boolean;
  /** The body's digest. */
  body?: string;
  containers?: string[];
  /** The days of retention in the trigger's options. */
  retentionDays?: number;
  /** The channel brings outputs in addition to the body. */
  hasOutputs?: boolean;
  /** Read from the run's Connection: where it broke; null when it ended normally. */
  brokeAt?: string | null;
  /** The object dies while it parses the body. */
  dies?: "small" | "large";
};

/**
 * Returns OpenAI's answer to an observation.
 * @param seconds Seconds after the start.
 * @param observation Which observation it is, from 1.
 */
export type AnswerScript = (
  seconds: number,
  observation: number,
  channel: Channel,
) => ScriptedAnswer;

/** What came of an effect that is not an observation: done by default. */
export type EffectScript = (effect: Effect, seconds: number) => "done" | "failed" | "dies";

export type ScenarioResult = {
  /** Seconds after the start of each observation. */
  observedAt: number[];
  channels: Channel[];
  /** Seconds after the start at which the control was asked for. */
  controlAskedAt: number[];
  /** The records that KV took, and where their bodies came from. */
  stored: StoredRecord[];
  bodies: string[];
  /** The records that the Catalog took, and that its list shows. */
  listed: StoredRecord[];
  /** The types of the effects that were begun, with their seconds. */
  effects: { at: number; effect: Effect }[];
  /** The last state in which something was known of the run. */
  record: StoredRecord;
  /** The state at the end of the scenario. */
  state: State | null;
  /** The state after each change. */
  states: (State | null)[];
  costs: RecorderObject["costs"];
  object: RecorderObject;
};

type Scenario = {
  events?: ScenarioEvent[];
  policy?: Partial<Policy>;
  /** Null: nothing starts the run but the events. */
  start?: Partial<RecorderParams> | null;
  effects?: EffectScript;
  /** What came of the control when it is asked for; null: it still runs. By default it never ran. */
  control?: (seconds: number) => ControlResult | null;
  /** The files that a container has, at a time. */
  files?: FileEntry[] | ((seconds: number) => FileEntry[]);
  /** Seconds that an effect takes. */
  takes?: number;
  /** The scenario ends after these seconds. */
  untilSeconds?: number;
};

type Seen = Pick<
  ScenarioResult,
  "observedAt" | "channels" | "controlAskedAt" | "stored" | "bodies" | "listed"
>;

const NOT_RUN: ControlResult = {
  observation: null,
  control: { id: null, status: "not_run", calls: [] },
};

const DAY_SECONDS = 24 * 60 * 60;
/** By then every run is settled, and none has expired. */
const DEFAULT_UNTIL_SECONDS = 29 * DAY_SECONDS;

/**
 * Runs a Recorder.
 * @param scenario What differs from a trigger without a webhook.
 */
export function runScenario(script: AnswerScript, scenario: Scenario = {}): ScenarioResult {
  const clock = new Clock();
  const policy = { ...TRIGGER_PARAMS.policy, ...scenario.policy };
  const seen: Seen = {
    observedAt: [],
    channels: [],
    controlAskedAt: [],
    stored: [],
    bodies: [],
    listed: [],
  };
  const effects: ScenarioResult["effects"] = [];
  const states: ScenarioResult["states"] = [];
  let ended = false;

  const perform = (effect: Effect, object: RecorderObject): void => {
    effects.push({ at: clock.seconds, effect });
    const { life } = object;
    clock.after(scenario.takes ?? 0, () => {
      if (ended) return;
      if (effect.type === "observe") return observe(effect, object, life);
      const how = scenario.effects?.(effect, clock.seconds) ?? "done";
      if (how === "dies") return object.evict();
      const { turn } = effect;
      if (how === "failed") return object.report(life, { type: "failed", turn, reason: "refused" });
      if (effect.type === "store_record") seen.stored.push(effect.record);
      if (effect.type === "store_record") seen.bodies.push(effect.body);
      if (effect.type === "list" && isListed(effect.record)) seen.listed.push(effect.record);
      object.report(life, toResult(effect, listFiles(scenario, clock.seconds)));
    });
  };

  const observe = (
    effect: Extract<Effect, { type: "observe" }>,
    object: RecorderObject,
    life: number,
  ): void => {
    const { turn, channel } = effect;
    if (channel === "control") return askForControl(turn, object, life);
    seen.channels.push(channel);
    seen.observedAt.push(clock.seconds);
    const answer = script(clock.seconds, seen.observedAt.length, channel);
    if (answer.dies === "large") object.report(life, { type: "large_body", turn });
    if (answer.dies !== undefined) return object.evict();
    const result = toObservationResult(answer, clock.seconds);
    result.observation.channel = channel;
    const { hasOutputs = false, body = null } = answer;
    const payload = { body, outputs: `[${channel}]` };
    object.report(life, { type: "observed", turn, result, hasOutputs }, payload);
  };

  const askForControl = (turn: number, object: RecorderObject, life: number): void => {
    seen.controlAskedAt.push(clock.seconds);
    const result = scenario.control === undefined ? NOT_RUN : scenario.control(clock.seconds);
    const event = { type: "control_observed" as const, turn, result, hasOutputs: result !== null };
    object.report(life, event, { outputs: "[control]" });
  };

  const object = new RecorderObject({
    clock,
    perform,
    canWrite: () => true,
    alarmDelays: (seconds) => [seconds],
    onChange: (_, { state }) => states.push(state),
  });
  if (scenario.start !== null) {
    const params = { ...TRIGGER_PARAMS, policy, ...scenario.start };
    const type = params.started_by === "webhook" ? ("webhook" as const) : ("start" as const);
    object.call({ type, params });
  }
  for (const { at, event } of scenario.events ?? []) {
    clock.after(at, () => object.call("params" in event ? withPolicy(event, policy) : event));
  }
  const untilSeconds = scenario.untilSeconds ?? DEFAULT_UNTIL_SECONDS;
  let end: State | null = null;
  clock.after(untilSeconds, () => {
    ended = true;
    end = object.state;
    object.evict();
    object.storage.state = null;
  });
  if (!clock.run(200_000)) throw new Error("The run never ended.");
  const last = states.findLast((state) => state?.kind === "run");
  if (last?.kind !== "run") throw new Error("The run never began.");
  const { costs } = object;
  return { ...seen, effects, states, record: last.record, state: end, costs, object };
}

function withPolicy<E extends { params: RecorderParams }>(event: E, policy: Policy): E {
  return { ...event, params: { ...event.params, policy } };
}

function listFiles({ files = [] }: Scenario, seconds: number): FileEntry[] {
  return typeof files === "function" ? files(seconds) : files;
}

function toResult(effect: Effect, files: FileEntry[]): ResultEvent {
  const { turn } = effect;
  if (effect.type === "erase") return { type: "erased", turn };
  if (effect.type === "list") return { type: "listed", turn };
  if (effect.type === "unlist") return { type: "unlisted", turn };
  if (effect.type === "notify") return { type: "notified", turn, status: 200 };
  if (effect.type === "find_files") {
    const empty = files.length === 0 ? effect.record.containers : [];
    return { type: "files_found", turn, files, empty };
  }
  if (effect.type !== "copy_file") return { type: "stored", turn };
  const file = { ...effect.file, url: `/results/resp_1/files/${effect.file.id}` };
  return { type: "file_copied", turn, file };
}

/** Returns a webhook that is received at a time. */
export function createWebhook(seconds: number): Webhook {
  return { id: "wh_1", type: "response.completed", received_at: toTime(seconds) };
}

/** Returns the call of a webhook. */
export function webhookAt(seconds: number): ScenarioEvent {
  const params = {
    ...TRIGGER_PARAMS,
    at: toTime(seconds),
    started_by: "webhook" as const,
    options: null,
    request: null,
    created: null,
    webhook: createWebhook(seconds),
  };
  return { at: seconds, event: { type: "webhook", params } };
}

/** Returns the call of a trigger. */
export function startAt(seconds: number, changes: Partial<RecorderParams> = {}): ScenarioEvent {
  return { at: seconds, event: { type: "start", params: { ...TRIGGER_PARAMS, ...changes } } };
}

/** Returns a refetch by hand. */
export function refetchAt(seconds: number): ScenarioEvent {
  const params = {
    ...TRIGGER_PARAMS,
    at: toTime(seconds),
    started_by: "refetch" as const,
    options: null,
    request: null,
    created: null,
  };
  return { at: seconds, event: { type: "refetch", params } };
}

export const TEST_POLICY: Policy = {
  deadline_seconds: 120,
  delays_seconds: [5, 20, 60, 180, 300],
  record_external: true,
  retention_seconds: 30 * DAY_SECONDS,
  limits: DEFAULT_LIMITS,
};

/** The parameters of a Recorder that a trigger starts. */
export const TRIGGER_PARAMS: RecorderParams = {
  id: "resp_1",
  at: toTime(0),
  started_by: "trigger",
  policy: TEST_POLICY,
  options: { include: [], stream: false, control: false, hold: false, retention_days: null },
  request: {},
  created: { status: "queued", model: "m", background: true, store: true, created_at: toTime(0) },
  webhook: null,
  control: null,
  connection: null,
};

function toObservationResult(answer: ScriptedAnswer, seconds: number): ObservationResult {
  const { containers = [], retentionDays = null } = answer;
  const calls = toCalls(answer);
  const hasResponse = answer.status !== undefined;
  const options =
    TRIGGER_PARAMS.options === null
      ? null
      : { ...TRIGGER_PARAMS.options, retention_days: retentionDays };
  return {
    ...NO_RESULT,
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
          completed_at: answer.completedAt === undefined ? null : toTime(answer.completedAt),
          options: answer.ours === true ? options : null,
          error: null,
          metadata: {},
          conversation: null,
          containers,
          cited_files: [],
          tools: null,
          cites: { files: false, urls: false },
          usage: null,
          lacks_items: answer.lacksItems ?? false,
        }
      : null,
    calls: hasResponse || answer.brokeAt !== undefined ? calls : null,
    body: answer.body === undefined ? null : { digest: answer.body, bytes: 1 },
    error: answer.error ?? (hasResponse ? null : toError(answer)),
    refused: answer.refused ?? false,
    retry_after_seconds: answer.retryAfter ?? null,
    from_connection: answer.brokeAt !== undefined,
    broke_at: answer.brokeAt ?? null,
  };
}

function toError({ http }: ScriptedAnswer): ObservationResult["error"] {
  return http === 200 ? null : { code: `http_${http ?? "none"}`, message: "refused" };
}

function toCalls(answer: ScriptedAnswer): ObservedCall[] {
  const { outputs, code = "print(1)", callStatus: status = "completed" } = answer;
  if (outputs === undefined) return [];
  return [toCodeCall({ status, code, state: outputs })];
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
