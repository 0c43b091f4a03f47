import { afterAll, beforeAll, expect, test } from "vitest";
import { RECORDER_WORKER, setKvMode } from "../support/recorder-worker.ts";
import { waitFor, waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  const settings = { backgroundOutputs: "present" as const };
  world = await startWorld(settings, {}, {}, { main: RECORDER_WORKER });
});
afterAll(() => world.close());

/** Refused writes of one record, before KV works again. */
const REFUSALS = 3;

type Store = { get(key: string): Promise<string | null> };

test("while KV refuses every write and OpenAI deletes the response after one GET, its outputs are readable at once, and in KV afterwards", async () => {
  await setKvMode(world.url, "refuses");
  const refetch = { method: "GET", path: "^/v1/responses/" };
  const deleted = { kind: "status", status: 404, after: 1, times: -1 };
  await world.emulator.addFault({ ...refetch, ...deleted });
  const id = await world.trigger();

  expect(await world.waitUntilSettled(id)).toMatchObject({
    status: "completed",
    verdict: "captured",
    error: null,
    calls: [{ outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
  });
  expect(await readText(`/results/${id}/outputs`)).toBe("BG_STDOUT_OK\n");
  const response = await readText(`/results/${id}/response`);
  expect(response).toBe(JSON.stringify((await world.emulator.getRun(id)).response));
  await waitUntil(async () => countRefusals(id) >= REFUSALS);
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  expect(await store.get(`record:${id}`)).toBeNull();

  await setKvMode(world.url, "works");
  const value = await waitFor(
    () => store.get(`record:${id}`),
    (stored) => stored !== null,
  );
  const [line = "", body] = (value ?? "").split("\n");
  expect(JSON.parse(line)).toMatchObject({ id, status: "completed", verdict: "captured" });
  expect(body).toBe(response);
  expect(await countRefetches(id)).toBe(1);
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured", error: null });
});

async function readText(path: string): Promise<string> {
  const answer = await world.request(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

function countRefusals(id: string): number {
  const refused = world.kvOperations().filter(({ operation, ok }) => operation === "put" && !ok);
  return refused.filter(({ key }) => key === `record:${id}`).length;
}

async function countRefetches(id: string): Promise<number> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ path }) => path === `/v1/responses/${id}`).length;
}
