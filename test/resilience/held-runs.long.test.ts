// Held runs that take minutes. The Worker is a process of its own: the test harness would stand between it and the emulator.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { waitFor } from "../support/wait.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";

const Started = z.object({ id: z.string() });
const MINUTE_MS = 60_000;

let world: ProcessWorld;
beforeAll(async () => {
  world = await startProcessWorld({ onDisconnect: "cancel" });
});
afterAll(() => world.close());

/** Triggers a held run that prints a text; returns its id. */
async function triggerHeld(seconds: number, text: string): Promise<string> {
  const code = toPythonInput(`print(${JSON.stringify(text)})`);
  const input = `emulator: run ${seconds} seconds\n${code}`;
  const body = JSON.stringify({ hold: true, input, tools: CODE_INTERPRETER });
  const answer = await world.request("/trigger", { method: "POST", body });
  expect(answer.status).toBe(202);
  return Started.parse(await answer.json()).id;
}

function waitUntilSettled(id: string): Promise<ResponseRecord> {
  return waitFor(
    async () => {
      const answer = await world.request(`/results/${id}?wait=60&until=settled`);
      return ResponseRecord.parse(await answer.json());
    },
    ({ settled_at }) => settled_at !== null,
  );
}

test.concurrent(
  "a run of 11 minutes is held to its end",
  async () => {
    const record = await waitUntilSettled(await triggerHeld(11 * 60, "after eleven minutes"));
    expect(record).toMatchObject({
      verdict: "captured",
      held: { broke_at: null },
      calls: [{ source: "held", outputs: [{ type: "logs", logs: "after eleven minutes\n" }] }],
    });
    const created = Date.parse(record.created_at ?? "");
    expect(Date.parse(record.completed_at ?? "") - created).toBeGreaterThanOrEqual(11 * MINUTE_MS);
  },
  15 * MINUTE_MS,
);

test.concurrent(
  "50 runs of 20 seconds are held at once, and all are captured, byte for byte",
  async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `run ${n}: naïve – 数据`);
    const ids = await Promise.all(texts.map((text) => triggerHeld(20, text)));
    const records = await Promise.all(ids.map(waitUntilSettled));
    const outputs = await Promise.all(
      ids.map(async (id) => (await world.request(`/results/${id}/outputs`)).text()),
    );
    expect(outputs).toEqual(texts.map((text) => `${text}\n`));
    const channels = records.map(({ observations }) => observations.map(({ channel }) => channel));
    expect(channels).toEqual(records.map(() => ["held"]));
    expect(records.every(({ verdict }) => verdict === "captured")).toBe(true);
  },
  5 * MINUTE_MS,
);
