// The Holder's story with a stand-in for the engine: what a crash leaves of it. Locally the real one wakes no instance after a crash.
import { expect, test } from "vitest";
import { z } from "zod";
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
import type { Step } from "../../../src/workflows/hands.ts";

type Callback<T> = (context: { attempt: number }) => Promise<T>;

const HOLDING: Holding = {
  request: { input: "hello" },
  start: {
    at: "2026-11-23T00:00:00.000Z",
    started_by: "trigger",
    policy: { deadline_seconds: 120, delays_seconds: [], record_external: true },
    options: null,
    control: null,
    webhook: null,
    action: null,
  },
};
const CREATED = { status: "in_progress", model: "m", background: false, store: true };
const BEGUN: Begun = {
  kind: "held",
  id: "resp_1",
  created: { ...CREATED, created_at: HOLDING.start.at },
  response: new Uint8Array(),
};

/** Keeps what steps gave. It crashes once, before the result of the step named is kept. */
class Engine implements Step {
  readonly crashed = Promise.withResolvers<void>();
  readonly #kept = new Map<string, unknown>();
  readonly #attempts = new Map<string, number>();
  readonly #crashIn: string;

  constructor(step: string) {
    this.#crashIn = step;
  }

  /** What the step named gave. */
  result(name: string): unknown {
    return this.#kept.get(name);
  }

  async do<T>(name: string, _config: unknown, callback: Callback<T>): Promise<T> {
    const kept = this.#kept.get(name);
    if (isFrom(kept, callback)) return kept;
    const attempt = (this.#attempts.get(name) ?? 0) + 1;
    this.#attempts.set(name, attempt);
    const value = await callback({ attempt });
    if (name === this.#crashIn && attempt === 1) {
      this.crashed.resolve();
      return new Promise(() => undefined);
    }
    this.#kept.set(name, value);
    return value;
  }

  waitForEvent(): Promise<never> {
    return new Promise(() => undefined);
  }
}

function isFrom<T>(value: unknown, _from: Callback<T>): value is T {
  return value !== undefined;
}

function isStream(value: unknown): boolean {
  return value instanceof ReadableStream;
}

/** What the story did, in order. */
function hands(done: string[]): HolderHands {
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
    async tell({ id }) {
      done.push(`tell ${id}`);
    },
  };
}

async function crashIn(step: string): Promise<{ engine: Engine; done: string[] }> {
  const engine = new Engine(step);
  const done: string[] = [];
  void hold("holder-1", HOLDING, engine, hands(done));
  await engine.crashed.promise;
  await hold("holder-1", HOLDING, engine, hands(done));
  return { engine, done };
}

test("a crash between the POST and its result: nothing is posted again, and nothing is handed over", async () => {
  const { engine, done } = await crashIn(BEGIN);
  expect(done).toEqual(["POST"]);
  expect(engine.result(BEGIN)).toMatchObject({ kind: "failed", late: false });
});

test("a crash while the connection is held: it is lost, and the Recorder is told", async () => {
  const { engine, done } = await crashIn(HOLD);
  expect(done).toEqual(["POST", "hand over resp_1 of holder-1", "lost", "tell resp_1"]);
  const left = z.custom<ReadableStream<Uint8Array>>(isStream).parse(engine.result(HOLD));
  expect(await readHeld(left)).toMatchObject({ broke_at: "unknown", response: null, calls: [] });
});

test("a crash before the hand-over is kept: it is handed over again, and posted once", async () => {
  const { done } = await crashIn(HAND_OVER);
  expect(done.filter((what) => what === "POST")).toHaveLength(1);
  expect(done.filter((what) => what.startsWith("hand over"))).toHaveLength(2);
  expect(done.at(-1)).toBe("tell resp_1");
});
