// A stand-in for the engine: runs a Recorder's story in virtual time.
import { begin } from "../src/fold.ts";
import type { Known, Look, Rules, SeenCall, Start, Wake } from "../src/record.ts";
import { follow, type Hands, type Outcome, type Step } from "../src/recorder.ts";

/** Seconds after the start at which something wakes the Recorder. */
export type Event = { at: number; wake: Wake };

/** What OpenAI answers at a time, in seconds after the start. */
export type Script = (seconds: number, looks: number) => Answer;
export type Answer = {
  http: number | null;
  status?: string;
  outputs?: "populated" | "empty" | "null";
  code?: string;
  refused?: boolean;
  retryAfter?: number;
};

export type Story = {
  outcome: Outcome;
  /** Seconds after the start of each look. */
  looks: number[];
  stored: Known[];
  listed: Known[];
  steps: string[];
};

const BEGIN = Date.UTC(2026, 0, 1);

/**
 * Plays one response.
 * @param script What OpenAI answers.
 * @param options Where the story differs from a plain trigger without a webhook.
 */
export async function play(
  script: Script,
  options: {
    events?: Event[];
    rules?: Partial<Rules>;
    start?: Partial<Start>;
    stored?: Known | undefined;
    /** Seconds after the start at which a control ends. */
    controlEnds?: number;
  } = {},
): Promise<Story> {
  const rules: Rules = {
    deadline: 120,
    again: [5, 20, 60, 180, 300],
    strangers: true,
    ...options.rules,
  };
  const waiting = [...(options.events ?? [])];
  const story: Story = {
    outcome: { id: "", verdict: "pending", recorded: false },
    looks: [],
    stored: [],
    listed: [],
    steps: [],
  };
  let now = 0;
  const step: Step = {
    async do(name, _config, callback) {
      story.steps.push(name);
      return structuredClone(await callback({ attempt: 1 }));
    },
    async waitForEvent(name, { timeout }) {
      story.steps.push(name);
      const until = now + timeout / 1000;
      const next = waiting.findIndex((event) => event.at <= until);
      if (next === -1) {
        now = until;
        throw new Error("Execution timed out after the wait");
      }
      const [event] = waiting.splice(next, 1);
      if (event === undefined) throw new Error("no event");
      now = Math.max(now, event.at);
      return { payload: event.wake };
    },
  };
  const hands: Hands = {
    async look() {
      story.looks.push(now);
      return { look: lookOf(script(now, story.looks.length), now), chunks: null, outputs: null };
    },
    async store(record) {
      story.stored.push(record);
    },
    async list(record) {
      story.listed.push(record);
    },
    async recall() {
      return options.stored ?? null;
    },
    async control() {
      const seen = { http_status: 500, status: null, request_id: null, calls: [] };
      const ended = at(options.controlEnds ?? 0);
      return {
        observation: { at: ended, channel: "control", ...seen },
        control: { id: null, status: "refused", calls: [] },
        outputs: [],
      };
    },
    async keep() {},
    async forget() {},
    async wake() {},
    async findFiles() {
      return [];
    },
    isToCopy: () => false,
    async saveFile(_id, file) {
      return file;
    },
  };
  const start: Start = { ...TRIGGERED, ...options.start };
  story.outcome = await follow(start, step, hands, rules);
  return story;
}

/** The time that virtual seconds stand for. */
export function at(seconds: number): string {
  return new Date(BEGIN + seconds * 1000).toISOString();
}

/** A webhook that arrives at a time. */
export function webhook(seconds: number): Event {
  return {
    at: seconds,
    wake: {
      kind: "webhook",
      webhook: { id: "wh_1", type: "response.completed", received_at: at(seconds) },
    },
  };
}

const TRIGGERED: Start = {
  id: "resp_1",
  at: at(0),
  started_by: "trigger",
  rules: { deadline: 120, again: [5, 20, 60, 180, 300], strangers: true },
  intent: { include: [], replay: false, control: false, retention_days: null },
  request: {},
  created: { status: "queued", model: "m", background: true, store: true, created_at: at(0) },
  webhook: null,
  control: null,
  action: null,
};

function lookOf(answer: Answer, seconds: number): Look {
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
      at: at(seconds),
      channel: "refetch",
      http_status: answer.http,
      status: answer.status ?? null,
      request_id: null,
      calls: calls.map((call) => ({ id: call.id, outputs: call.state })),
    },
    facts: seen
      ? {
          status: answer.status ?? "",
          model: "m",
          background: true,
          store: null,
          created_at: at(0),
          completed_at: null,
          intent: null,
          error: null,
          conversation: null,
          containers: [],
          cited: [],
        }
      : null,
    calls: seen ? calls : null,
    body: null,
    error: seen ? null : { code: `http_${answer.http ?? "none"}`, message: "refused" },
    refused: answer.refused ?? false,
    retry_after: answer.retryAfter ?? null,
  };
}

/** A record that nobody has looked at yet. */
export function known(): Known {
  return begin(TRIGGERED);
}

/**
 * A look by GET.
 * @param seconds When.
 * @param what The status, `completed` unless it is given, and the calls.
 */
export function looked(seconds: number, what: { status?: string; calls: SeenCall[] }): Look {
  const status = what.status ?? "completed";
  const look = lookOf({ http: 200, status }, seconds);
  const seen = what.calls.map((call) => ({ id: call.id, outputs: call.state }));
  return { ...look, observation: { ...look.observation, calls: seen }, calls: what.calls };
}
