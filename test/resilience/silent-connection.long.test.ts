// Connections that stay open for minutes, and bring little or nothing. The Worker is a process of its own: the test harness would stand between it and the emulator.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ResponseRecord } from "../../src/record/schema.ts";
import {
  CONNECTION_WORKER,
  inspectConnection,
  readAllEvents,
  readConnectionName,
} from "../support/connection-worker.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

const MINUTE_MS = 60_000;
const SILENCE_SECONDS = 240;
/** A long run has small events stored at most this often, after its first minute. */
const LONG_RUN_ROW_SECONDS = 5;
const DELTAS_PER_SECOND = 4;
/** Events before a text's first delta, and some to spare. */
const FIRST_EVENTS = 10;
const PREFIX = "events:";

let world: ProcessWorld;
beforeAll(async () => {
  const settings = { queueSeconds: 0.1, runSeconds: 0.3, deltaCharacters: 8 };
  world = await startProcessWorld(
    { ...settings, onDisconnect: "complete" },
    { main: CONNECTION_WORKER },
  );
});
afterAll(() => world.close());

test.concurrent.each([{ hold: true }, { stream: true }])(
  `a connection on which nothing comes for ${SILENCE_SECONDS} seconds brings the rest of its run: %o`,
  async (kind) => {
    const metadata = { case: JSON.stringify(kind) };
    const steps = [call("before"), { wait: SILENCE_SECONDS }, call("after")];
    await world.emulator.addScriptFor(metadata, steps);
    const id = await trigger({ ...kind, metadata });
    const name = await readConnectionName(world.url, id);
    const record = await waitUntilSettled(id);
    expect(record).toMatchObject({ status: "completed" });
    expect(record.calls).toHaveLength(2);
    const channels = record.observations.map(({ channel }) => channel);
    expect(channels).toContain("hold" in kind ? "held" : "stream");
    const events = await readAllEvents(world.url, name);
    expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, n) => n));
    expect(events.at(-1)?.type).toBe("response.completed");
    // It was read to its end on its first connection.
    const requests = await world.emulator.listRequests();
    const later = requests.filter(({ path, query }) => path.includes(id) && "stream" in query);
    expect(later).toEqual([]);
    expect(world.output()).not.toContain('"event":"connection_lost"');
  },
  8 * MINUTE_MS,
);

test.concurrent(
  "a long run has small events stored every 5 seconds after its first minute",
  async () => {
    const seconds = 120;
    const metadata = { case: "slow" };
    const deltas = seconds * DELTAS_PER_SECOND;
    const text = { text: "abcdefgh".repeat(deltas), pace: 1 / DELTAS_PER_SECOND };
    await world.emulator.addScriptFor(metadata, [text]);
    const id = await trigger({ hold: true, metadata });
    const name = await readConnectionName(world.url, id);
    await waitUntilSettled(id);
    const { rows } = await inspectConnection(world.url, name);
    const packed = rows.filter(({ head }) => head?.includes(".delta") === true);
    const firstMinute = 60 * DELTAS_PER_SECOND;
    const numbers = packed.map(({ name: row }) => Number.parseInt(row.slice(PREFIX.length), 10));
    // Pauses between deltas are never shorter than the emulator's, so no more than these came in the first minute.
    const late = numbers.filter((number) => number > firstMinute + FIRST_EVENTS);
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThanOrEqual((seconds - 60) / LONG_RUN_ROW_SECONDS + 1);
    expect(numbers.length - late.length).toBeGreaterThan(late.length);
  },
  8 * MINUTE_MS,
);

// A run's end is seen by a refetch; then its Connection has a minute to report.
test.concurrent(
  "a silent connection is closed when a refetch has seen the end, and what it brought is kept",
  async () => {
    const metadata = { case: "hang" };
    const createFault = { method: "POST", path: "^/v1/responses$", metadata, times: 1 };
    await world.emulator.addFault({ ...createFault, kind: "hang", after_events: 13 });
    const id = await trigger({
      hold: true,
      metadata,
      input: "emulator: run 1 seconds\nRun Python that prints exactly: BG_STDOUT_OK",
    });
    await waitUntil(async () => (await world.emulator.getRun(id)).status === "completed");
    // OpenAI no longer shows the outputs: only the connection brought them.
    const withoutOutput = { method: "GET", path: `${id}$`, times: -1 };
    await world.emulator.addFault({ ...withoutOutput, kind: "replace", patch: { output: [] } });
    await world.request(`/results/${id}/refetch`, { method: "POST" });
    expect(await waitUntilSettled(id)).toMatchObject({
      status: "completed",
      verdict: "recovered",
      held: { broke_at: "12 response.output_item.done" },
      calls: [{ source: "held", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
    });
  },
  8 * MINUTE_MS,
);

function call(text: string): { code: string } {
  return { code: `print("${text}")` };
}

function trigger(body: Record<string, unknown>): Promise<string> {
  return world.trigger({ input: "x", tools: CODE_INTERPRETER, ...body });
}

/** One request waits for a minute at most. */
function waitUntilSettled(id: string): Promise<ResponseRecord> {
  return waitFor(
    async () => {
      const answer = await world.request(`/results/${id}?wait=60&until=settled`);
      return ResponseRecord.parse(await answer.json());
    },
    ({ settled_at }) => settled_at !== null,
  );
}
