import { afterAll, beforeAll, expect, test } from "vitest";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

const DAY_SECONDS = 24 * 60 * 60;

/** The part of the KV binding that lists expirations. */
type Store = {
  list(options: { prefix: string }): Promise<{ keys: { name: string; expiration?: number }[] }>;
};

let world: World;
beforeAll(async () => {
  world = await startWorld(
    { interpreters: 1, streamOutputs: "present" },
    { REFETCH_DELAYS: "0", RETENTION_DAYS: "30" },
  );
});
afterAll(() => world.close());

/** Returns the days until each key of a response expires, once it has so many keys. */
async function readDaysLeft(id: string, minKeys = 1): Promise<number[]> {
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  const own = await waitFor(
    async () => (await store.list({ prefix: "" })).keys.filter(({ name }) => name.includes(id)),
    (keys) => keys.length >= minKeys,
  );
  return own.map(({ expiration = 0 }) =>
    Math.round((expiration - Date.now() / 1000) / DAY_SECONDS),
  );
}

const WRITES_FILE = toPythonInput('open("a.txt", "w").write("x")\nprint("x")');

test("POST /trigger with retention_days sets the expiry of the record, its files and the outputs of other channels", async () => {
  const flags = { stream: true, control: true, retention_days: 7 };
  const id = await world.trigger({ input: WRITES_FILE, tools: CODE_INTERPRETER, ...flags });
  await world.waitUntilSettled(id);
  const days = await readDaysLeft(id, 3);
  expect(new Set(days)).toEqual(new Set([7]));
});

test("POST /trigger without retention_days uses RETENTION_DAYS", async () => {
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  expect(new Set(await readDaysLeft(id))).toEqual(new Set([30]));
});

test("POST /results/:id/refetch keeps the retention of the record", async () => {
  const id = await world.trigger({ retention_days: 3 });
  await world.waitUntilSettled(id);
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  await world.waitUntilSettled(id);
  expect(new Set(await readDaysLeft(id))).toEqual(new Set([3]));
});

test.each([0, 3_651, 1.5, "7", null])(
  "POST /trigger rejects retention_days: %j",
  async (retention_days) => {
    const body = JSON.stringify({ retention_days });
    const answer = await world.request("/trigger", { method: "POST", body });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/retention_days must be a whole number of days/);
  },
);
