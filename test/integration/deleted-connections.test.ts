// Runs that are deleted while their streams are read: nothing of them is left, and nothing fires later.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  STORAGE_WORKER,
  EMPTY,
  listConnections,
  listKeys,
  readStorage,
} from "../support/storage-worker.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import {
  beginEvents,
  sendEvents,
  sendJson,
  startStandIn,
  toEvents,
} from "../support/openai-stand-in.ts";
import { startProcessWorld, toTestVars, type ProcessWorld } from "../support/process-world.ts";
import { readRecord, triggerRun, waitUntilSettled } from "../support/run-requests.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

// A process of its own: the test harness would hide from OpenAI that a connection was closed.
let world: ProcessWorld;
beforeAll(async () => {
  world = await startProcessWorld(
    { interpreters: 2, queueSeconds: 0.1, runSeconds: 0.1, streamOutputs: "present" },
    { main: STORAGE_WORKER },
  );
});
beforeEach(async () => {
  await world.emulator.clearRequests();
  await world.emulator.clearScripts();
});
afterAll(() => world.close());

const PRINTS = { model: "m", input: toPythonInput("print('one')"), tools: CODE_INTERPRETER };
const SLOW = [{ code: "print('one')" }, { wait: 60 }];

/** Waits until the Connections of a run have stored events of their streams. */
async function waitForEvents(id: string): Promise<string[]> {
  const names = await waitFor(
    () => listConnections(world.url, id),
    ({ length }) => length > 0,
  );
  for (const name of names) {
    await waitUntil(async () => (await readStorage(world.url, name)).rows.length > 2);
  }
  return names;
}

async function deleteRun(id: string): Promise<void> {
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
}

/** What is left of a run, and of its Connections. */
async function readLeftovers(id: string, connections: string[]) {
  const list = await (await world.request("/results?limit=100")).text();
  return {
    status: (await world.request(`/results/${id}`)).status,
    isListed: list.includes(id),
    keys: await listKeys(world.url, id),
    storages: await Promise.all(connections.map((name) => readStorage(world.url, name))),
  };
}

/** What is left of a run that was deleted. */
function nothingOf(connections: string[]) {
  return { status: 404, isListed: false, keys: [], storages: connections.map(() => EMPTY) };
}

/** Runs another run to its end, so that what is left of the first one has time to ask OpenAI; returns the requests for the first one. */
async function listLaterRequests(id: string): Promise<LoggedRequest[]> {
  await waitUntilSettled(world, await triggerRun(world, PRINTS));
  const requests = await world.emulator.listRequests();
  return requests.filter(({ path }) => path.includes(id));
}

async function findStatus(id: string): Promise<string> {
  return (await world.emulator.getRun(id)).status;
}

test("DELETE /results/:id of a held run that streams closes its connection, and leaves nothing", async () => {
  await world.emulator.addScript(SLOW);
  const id = await triggerRun(world, { ...PRINTS, hold: true });
  const connections = await waitForEvents(id);
  await world.emulator.clearRequests();
  await deleteRun(id);
  await waitUntil(async () => (await findStatus(id)) === "cancelled");
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
  expect(await listLaterRequests(id)).toEqual([]);
});

test("DELETE /results/:id of a followed run that streams leaves nothing, whatever its webhook says later", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { wait: 3 }]);
  const id = await triggerRun(world, { ...PRINTS, stream: true });
  const connections = await waitForEvents(id);
  await world.emulator.clearRequests();
  await deleteRun(id);
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
  await waitUntil(async () => {
    const deliveries = await world.emulator.listDeliveries();
    return deliveries.some((one) => one.response_id === id && one.status === 200);
  });
  expect(await listLaterRequests(id)).toEqual([]);
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
});

test.each([{ hold: true }, { stream: true }])(
  "DELETE /results/:id of a run with %j closes its connection to OpenAI",
  async (flags) => {
    const standIn = await startStandIn(({ method }, response) => {
      if (method !== "POST") return sendJson(response, {}, 404);
      beginEvents(response);
      const run = { id: "resp_1", background: "stream" in flags };
      const events = toEvents(run).slice(0, -1);
      sendEvents(
        response,
        events.map((event, index) => ({ ...event, sequence_number: index })),
      );
    });
    const vars = { ...toTestVars(world.emulator.url), OPENAI_BASE_URL: `${standIn.url}/v1` };
    const other = await startProcessWorld({}, { main: STORAGE_WORKER, vars });
    try {
      const id = await triggerRun(other, { ...PRINTS, ...flags });
      expect(standIn.closed).toEqual([]);
      expect((await other.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
      await waitUntil(() => Promise.resolve(standIn.closed.length > 0));
      expect(standIn.closed).toEqual(["/v1/responses"]);
      expect(standIn.requests).toHaveLength(1);
    } finally {
      await other.close();
      await standIn.close();
    }
  },
);

test("DELETE /results/:id of a run with a control that streams closes the control's connection, and leaves nothing", async () => {
  await world.emulator.addScript(SLOW);
  await world.emulator.addScript(SLOW);
  const id = await triggerRun(world, { ...PRINTS, control: true });
  const connections = await waitForEvents(id);
  const value = JSON.stringify({ control_of: id });
  const runs = await world.emulator.listRuns();
  const control = runs.find(({ metadata }) => metadata["response_recorder"] === value)?.id ?? "";
  await world.emulator.clearRequests();
  await deleteRun(id);
  await waitUntil(async () => (await findStatus(control)) === "cancelled");
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
  expect(await listLaterRequests(id)).toEqual([]);
});

test("DELETE /results/:id of a followed run with a control ends both Connections", async () => {
  await world.emulator.addScript(SLOW);
  await world.emulator.addScript(SLOW);
  const id = await triggerRun(world, { ...PRINTS, stream: true, control: true });
  const connections = await waitForEvents(id);
  expect(connections).toHaveLength(2);
  await deleteRun(id);
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
});

test("DELETE /results/:id of a settled run removes the events that its Connection keeps", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { wait: 1 }]);
  const id = await triggerRun(world, { ...PRINTS, hold: true });
  const connections = await waitForEvents(id);
  await waitUntilSettled(world, id);
  for (const name of connections) {
    expect((await readStorage(world.url, name)).rows.length).toBeGreaterThan(1);
  }
  await deleteRun(id);
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
});

test("DELETE /results/:id of a followed run that waits to take its stream up again leaves nothing", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { cut: true }, { wait: 60 }]);
  const metadata = { name: "waits" };
  const replay = { method: "GET", query: { stream: "true" }, metadata, times: -1 };
  await world.emulator.addFault({ ...replay, kind: "status", status: 500 });
  const id = await triggerRun(world, { ...PRINTS, metadata, stream: true });
  const connections = await waitForEvents(id);
  await waitUntil(async () => {
    const requests = await world.emulator.listRequests();
    return requests.some(({ path, query }) => path.endsWith(id) && "stream" in query);
  });
  expect((await readRecord(world, id)).verdict).toBe("pending");
  await deleteRun(id);
  await world.emulator.clearRequests();
  expect(await readLeftovers(id, connections)).toEqual(nothingOf(connections));
  expect(await listLaterRequests(id)).toEqual([]);
  await world.emulator.clearFaults();
});
