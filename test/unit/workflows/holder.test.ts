// The Holder on a stand-in for the engine that crashes: locally the real engine resumes no instance after a crash.
import { expect, test } from "vitest";
import { z } from "zod";
import { DEFAULT_LIMITS } from "../../../src/record/policy.ts";
import { leave, readHeld } from "../../../src/workflows/held.ts";
import {
  BEGIN,
  HAND_OVER,
  hold,
  HOLD,
  type Begun,
  type HolderHands,
  type Holding,
} from "../../../src/workflows/holder.ts";
import type { Step } from "../../../src/workflows/step.ts";

type StepCallback<T> = (context: { attempt: number }) => Promise<T>;

const HOLDING: Holding = {
  request: { input: "hello" },
  start: {
    at: "2026-11-23T00:00:00.000Z",
    started_by: "trigger",
    policy: {
      deadline_seconds: 120,
      delays_seconds: [],
      record_external: true,
      retention_seconds: 86_400,
      limits: DEFAULT_LIMITS,
    },
    options: null,
    control: false,
    webhook: null,
  },
};
const CREATED = { status: "in_progress", model: "m", background: false, store: true };
const BEGUN: Begun = {
  kind: "held",
  id: "resp_1",
  created: { ...CREATED, created_at: HOLDING.start.at },
  response: new Uint8Array(),
};

/** Keeps the results of steps. It crashes once, before the result of one step is kept. */
class CrashingEngine implements Step {
  readonly crashed = Promise.withResolvers<void>();
  readonly #results = new Map<string, unknown>();
  readonly #attempts = new Map<string, number>();
  readonly #crashIn: string;

  constructor(step: string) {
    this.#crashIn = step;
  }

  getResult(name: string): unknown {
    return this.#results.get(name);
  }

  async do<T>(name: string, _config: unknown, callback: StepCallback<T>): Promise<T> {
    const result = this.#results.get(name);
    if (isResultOf(result, callback)) return result;
    const attempt = (this.#attempts.get(name) ?? 0) + 1;
    this.#attempts.set(name, attempt);
    const value = await callback({ attempt });
    if (name === this.#crashIn && attempt === 1) {
      this.crashed.resolve();
      return new Promise(() => undefined);
    }
    this.#results.set(name, value);
    return value;
  }

  waitForEvent(): Promise<never> {
    return new Promise(() => undefined);
  }
}

function isResultOf<T>(value: unknown, _callback: StepCallback<T>): value is T {
  return value !== undefined;
}

function isStream(value: unknown): boolean {
  return value instanceof ReadableStream;
}

/** Activities that list what they do, in order. */
function createActivities(done: string[]): HolderHands {
  return {
    async begin() {
      done.push("POST");
      return {
        begun: BEGUN,
        line: { read: async () => leave(null, null), close: () => undefined },
      };
    },
    async handOver({ id, holder }) {
      done.push(`hand over ${id} of ${holder}`);
    },
    lost() {
      done.push("lost");
      return leave(null, null);
    },
    async reportEnd({ id }) {
      done.push(`report ${id}`);
    },
  };
}

/** Runs the Holder with a crash in a step, and again after it. */
async function runWithCrashIn(step: string): Promise<{ engine: CrashingEngine; done: string[] }> {
  const engine = new CrashingEngine(step);
  const done: string[] = [];
  void hold("holder-1", HOLDING, engine, createActivities(done));
  await engine.crashed.promise;
  await hold("holder-1", HOLDING, engine, createActivities(done));
  return { engine, done };
}

test("a crash between the POST and its result repeats no POST, and hands nothing over", async () => {
  const { engine, done } = await runWithCrashIn(BEGIN);
  expect(done).toEqual(["POST"]);
  expect(engine.getResult(BEGIN)).toMatchObject({ kind: "failed", late: false });
});

test("a crash while the connection is held loses the connection, and reports it to the Recorder", async () => {
  const { engine, done } = await runWithCrashIn(HOLD);
  expect(done).toEqual(["POST", "hand over resp_1 of holder-1", "lost", "report resp_1"]);
  const left = z.custom<ReadableStream<Uint8Array>>(isStream).parse(engine.getResult(HOLD));
  expect(await readHeld(left)).toMatchObject({ broke_at: "unknown", response: null, calls: [] });
});

test("a crash before the result of the hand-over is kept repeats the hand-over, and no POST", async () => {
  const { done } = await runWithCrashIn(HAND_OVER);
  expect(done.filter((action) => action === "POST")).toHaveLength(1);
  expect(done.filter((action) => action.startsWith("hand over"))).toHaveLength(2);
  expect(done.at(-1)).toBe("report resp_1");
});
