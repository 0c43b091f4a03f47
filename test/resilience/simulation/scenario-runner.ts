// One story on the engine's stand-in, without faults: a test says what OpenAI answers, and when who comes.
import { createRecord } from "../../../src/record/reducer.ts";
import type {
  Channel,
  StoredRecord,
  ObservationResult,
  Policy,
  ObservedCall,
  RecorderParams,
  RecorderEvent,
} from "../../../src/record/schema.ts";
import type { Hands, Outcome } from "../../../src/workflows/hands.ts";
import { Clock, timeOf } from "./clock.ts";
import { Instance } from "./engine.ts";

/** Seconds after the start at which something wakes the Recorder. */
export type Event = { at: number; wake: RecorderEvent };

/** What OpenAI answers at a time, in seconds after the start. */
export type Script = (seconds: number, looks: number) => Answer;
export type Answer = {
  http: number | null;
  status?: string;
  outputs?: "populated" | "empty" | "null";
  code?: string;
  refused?: boolean;
  retryAfter?: number;
  /** The response carries what its trigger asked for. */
  ours?: boolean;
};

export type Story = {
  outcome: Outcome;
  /** Seconds after the start of each look. */
  looks: number[];
  channels: Channel[];
  stored: StoredRecord[];
  listed: StoredRecord[];
  steps: string[];
};

type Options = {
  events?: Event[];
  policy?: Partial<Policy>;
  start?: Partial<RecorderParams>;
  stored?: StoredRecord | undefined;
  /** Seconds after the start at which a control ends. */
  controlEnds?: number;
};

/**
 * Plays one response.
 * @param script What OpenAI answers.
 * @param options Where the story differs from a plain trigger without a webhook.
 */
export async function play(script: Script, options: Options = {}): Promise<Story> {
  const clock = new Clock();
  const told = { looks: [], channels: [], stored: [], listed: [] };
  const hands = handsOf(clock, script, options, told, (wake) => instance.send(wake));
  const instance = new Instance(
    { ...TRIGGERED, ...options.start },
    {
      clock,
      policy: { ...TRIGGERED.policy, ...options.policy },
      hands: () => hands,
      crashes: () => false,
      random: () => 0,
      log: () => undefined,
    },
  );
  for (const { at, wake } of options.events ?? []) clock.after(at, () => instance.send(wake));
  instance.begin();
  await clock.run();
  if (instance.outcome === null) throw new Error(instance.failed ?? "it never ended");
  return { ...told, outcome: instance.outcome, steps: [...instance.begun] };
}

type Told = Pick<Story, "looks" | "channels" | "stored" | "listed">;

function handsOf(
  clock: Clock,
  script: Script,
  { stored, controlEnds = 0 }: Options,
  told: Told,
  send: (wake: RecorderEvent) => void,
): Hands {
  return {
    async look(_record, channel) {
      told.channels.push(channel);
      told.looks.push(clock.now);
      const result = lookOf(script(clock.now, told.looks.length), clock.now);
      result.observation.channel = channel;
      return { result, chunks: null, outputs: null };
    },
    async store(record) {
      told.stored.push(record);
    },
    async list(record) {
      told.listed.push(record);
    },
    async recall() {
      return stored ?? null;
    },
    async control() {
      await new Promise<void>((resolve) => clock.after(controlEnds, resolve));
      const seen = { http_status: 500, status: null, request_id: null, calls: [] };
      return {
        observation: { at: timeOf(clock.now), channel: "control", ...seen },
        control: { id: null, status: "refused", calls: [] },
        outputs: [],
      };
    },
    async keep() {},
    async forget() {},
    async wake(_id, kind) {
      send({ kind, at: timeOf(clock.now) });
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

/** A webhook that arrives at a time. */
export function webhook(seconds: number): Event {
  return {
    at: seconds,
    wake: {
      kind: "webhook",
      webhook: { id: "wh_1", type: "response.completed", received_at: timeOf(seconds) },
    },
  };
}

/** What a trigger hands over. */
export const TRIGGERED: RecorderParams = {
  id: "resp_1",
  at: timeOf(0),
  started_by: "trigger",
  policy: { deadline_seconds: 120, delays_seconds: [5, 20, 60, 180, 300], record_external: true },
  options: { include: [], replay: false, control: false, hold: false, retention_days: null },
  request: {},
  created: { status: "queued", model: "m", background: true, store: true, created_at: timeOf(0) },
  webhook: null,
  control: null,
  holder: null,
  action: null,
};

function lookOf(answer: Answer, seconds: number): ObservationResult {
  const calls =
    answer.outputs === undefined
      ? []
      : [
          {
            id: "ci_1",
            container_id: null,
            code: answer.code ?? "print(1)",
            state: answer.outputs,
          },
        ];
  const seen = answer.status !== undefined;
  return {
    observation: {
      at: timeOf(seconds),
      channel: "refetch",
      http_status: answer.http,
      status: answer.status ?? null,
      request_id: null,
      calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    fields: seen
      ? {
          status: answer.status ?? "",
          model: "m",
          background: true,
          store: null,
          created_at: timeOf(0),
          completed_at: null,
          options: answer.ours === true ? TRIGGERED.options : null,
          error: null,
          conversation: null,
          containers: [],
          cited_files: [],
        }
      : null,
    calls: seen ? calls : null,
    body: null,
    error: seen ? null : { code: `http_${answer.http ?? "none"}`, message: "refused" },
    refused: answer.refused ?? false,
    retry_after_seconds: answer.retryAfter ?? null,
    broke_at: null,
  };
}

/** A record that nobody has looked at yet. */
export function known(): StoredRecord {
  return createRecord(TRIGGERED);
}

/**
 * A look by GET.
 * @param seconds When.
 * @param what The status, `completed` unless it is given, and the calls.
 */
export function looked(
  seconds: number,
  what: { status?: string; calls: ObservedCall[] },
): ObservationResult {
  const status = what.status ?? "completed";
  const look = lookOf({ http: 200, status }, seconds);
  const seen = what.calls.map((call) => ({ id: call.id, outputs: call.state }));
  return { ...look, observation: { ...look.observation, calls: seen }, calls: what.calls };
}
