// Runs that are deleted while Connections read their streams. The Worker is a process of its own: the test harness would keep its connections to the emulator open.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  CONNECTION_WORKER,
  countStoredItems,
  inspectConnection,
  readAllEvents,
  readConnectionNames,
} from "../support/connection-worker.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

const FOREVER = { wait: 600 };
const EMPTY = { keys: 0, alarm: null, rows: [] };

let world: ProcessWorld;
beforeAll(async () => {
  const settings = { queueSeconds: 0.1, runSeconds: 0.1, onDisconnect: "cancel" } as const;
  world = await startProcessWorld(settings, { main: CONNECTION_WORKER });
});
afterAll(() => world.close());

test("a run that is deleted while it is held, followed or controlled leaves nothing that fires", async () => {
  const held = await startForever({ hold: true });
  const followed = await startForever({ stream: true });
  const controlled = await startForever({ control: true });
  const runs = [held, followed, controlled];
  const names = runs.flatMap((run) => run.names);
  expect(names).toHaveLength(runs.length);
  await Promise.all(
    runs.map(async ({ id }) => {
      const answer = await world.request(`/results/${id}`, { method: "DELETE" });
      expect(answer.status).toBe(204);
    }),
  );
  for (const name of names) {
    await waitUntil(async () => (await inspectConnection(world.url, name)).keys === 0);
    expect(await inspectConnection(world.url, name)).toEqual(EMPTY);
    expect(await readAllEvents(world.url, name)).toEqual([]);
  }
  // OpenAI cancels a foreground run whose connection ends: the held one, and the control.
  await waitUntil(async () => {
    const foreground = (await world.emulator.listRuns()).filter(({ background }) => !background);
    return foreground.length === 2 && foreground.every(({ status }) => status === "cancelled");
  });
  // Nothing breaks that was closed on purpose.
  expect(world.output()).not.toContain('"event":"connection_broke"');
  const before = world.output().length;
  // Another run goes its whole way.
  await world.emulator.addScriptFor({ case: "other" }, [{ wait: 10 }, call(0)]);
  const other = await world.trigger({ hold: true, input: "x", metadata: { case: "other" } });
  const settled = await world.request(`/results/${other}?wait=60&until=settled`);
  expect(await settled.json()).toMatchObject({ status: "completed" });
  const later = world.output().slice(before).split("\n");
  expect(later.some((line) => isLogOf(line, other))).toBe(true);
  const ids = [...names, ...runs.map(({ id }) => id)];
  expect(later.filter((line) => ids.some((id) => isLogOf(line, id)))).toEqual([]);
  for (const name of names) expect(await inspectConnection(world.url, name)).toEqual(EMPTY);
});

// wrangler itself logs each request, and OpenAI's webhook still comes for a run that was deleted.
function isLogOf(line: string, id: string): boolean {
  return line.includes('{"event":') && !line.includes('{"event":"webhook"') && line.includes(id);
}

function call(index: number): { code: string } {
  return { code: `print("call ${index}")` };
}

/** Starts a run, or a control, that streams and then waits; returns the name of its Connection. */
async function startForever(kind: Record<string, true>): Promise<{ id: string; names: string[] }> {
  const metadata = { case: JSON.stringify(kind) };
  if ("control" in kind) await world.emulator.addScriptFor(metadata, [call(0)]);
  await world.emulator.addScriptFor(metadata, [call(0), FOREVER]);
  const id = await world.trigger({ ...kind, input: "x", metadata, tools: CODE_INTERPRETER });
  const { run, control } = await waitFor(
    () => readConnectionNames(world.url, id),
    (names) => names.run !== null || names.control !== null,
  );
  const names = [run, control].filter((name) => name !== null);
  for (const name of names) {
    await waitUntil(async () => (await countStoredItems(world.url, name)) === 1);
  }
  return { id, names };
}
