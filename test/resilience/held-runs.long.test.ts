// Held runs that take minutes. The Worker is a process of its own, so that nothing stands between it and the emulator.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/port.ts";
import { ResponseRecord } from "../../src/record/schema.ts";
import { startChild, type Child } from "../support/child.ts";
import { API_KEY, serveCommand, TOKEN } from "../support/world.ts";

const Started = z.object({ id: z.string() });
const MINUTE = 60_000;

const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
let emulator: Emulator;
let worker: Child;
let url: string;
beforeAll(async () => {
  emulator = await startEmulator({ apiKey: API_KEY, onDisconnect: "cancel" });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  worker = startChild(serveCommand(port, state, emulator.url));
  await worker.says(/Ready on/);
});
afterAll(async () => {
  worker.crash();
  await worker.ended();
  await emulator.close();
  rmSync(state, { recursive: true, force: true });
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}` } });
}

async function hold(seconds: number, prints: string): Promise<string> {
  const input = `emulator: run ${seconds} seconds\n\`\`\`python\nprint(${JSON.stringify(prints)})\n\`\`\``;
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const body = JSON.stringify({ hold: true, input, tools });
  const answer = await ask("/trigger", { method: "POST", body });
  expect(answer.status).toBe(202);
  return Started.parse(await answer.json()).id;
}

async function settled(id: string): Promise<ResponseRecord> {
  for (;;) {
    const record = ResponseRecord.parse(await (await ask(`/results/${id}?wait=60`)).json());
    if (record.settled_at !== null) return record;
  }
}

test.concurrent(
  "a run of 11 minutes is held to its end",
  async () => {
    const record = await settled(await hold(11 * 60, "after eleven minutes"));
    expect(record).toMatchObject({
      verdict: "captured",
      held: { broke_at: null },
      calls: [{ source: "held", outputs: [{ type: "logs", logs: "after eleven minutes\n" }] }],
    });
    const created = Date.parse(record.created_at ?? "");
    expect(Date.parse(record.completed_at ?? "") - created).toBeGreaterThanOrEqual(11 * MINUTE);
  },
  15 * MINUTE,
);

test.concurrent(
  "50 runs of 20 seconds are held at once, and all are captured, byte for byte",
  async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `run ${n}: naïve – 数据`);
    const ids = await Promise.all(texts.map((text) => hold(20, text)));
    const records = await Promise.all(ids.map(settled));
    const printed = await Promise.all(
      ids.map(async (id) => (await ask(`/results/${id}/outputs`)).text()),
    );
    expect(printed).toEqual(texts.map((text) => `${text}\n`));
    const channels = records.map(({ observations }) => observations.map((seen) => seen.channel));
    expect(channels).toEqual(records.map(() => ["held"]));
    expect(records.every(({ verdict }) => verdict === "captured")).toBe(true);
  },
  5 * MINUTE,
);
