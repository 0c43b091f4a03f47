import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { waitUntil } from "../support/wait.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 60 });
});
afterAll(() => world.close());

function listMessages(): string[] {
  return world.worker.getLogs().map(({ message }) => message);
}

test("POST /results/:id/cancel ends a Connection whose request to take up its stream again hangs", async () => {
  const { emulator } = world;
  const create = { method: "POST", path: "^/v1/responses$" };
  const replay = { method: "GET", path: "^/v1/responses/", query: { stream: "true" }, times: -1 };
  await emulator.addFault({ ...create, kind: "cut", after_events: 4 });
  await emulator.addFault({ ...replay, kind: "hang" });
  const id = await world.trigger({ stream: true, input: "hello" });
  const isResuming = async () => {
    const requests = await emulator.listRequests();
    return requests.some(({ query }) => query["stream"] !== undefined);
  };
  await waitUntil(isResuming);
  const answer = await world.request(`/results/${id}/cancel`, { method: "POST" });
  expect(answer.status).toBe(202);
  const end = listMessages().find((line) => line.startsWith('{"event":"connection_end"'));
  expect(JSON.parse(end ?? "null")).toMatchObject({ id, kind: "followed", outcome: "closed" });
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "cancelled" });
});
