import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";

const DAY = 24 * 60 * 60;

/** As much of the Worker's environment as tells when a key ends. */
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

/** How many days each key of a response still has. */
async function daysOf(id: string): Promise<number[]> {
  const { RECORDS: store } = await world.worker.getWorker<{ RECORDS: Store }>().getEnv();
  const { keys } = await store.list({ prefix: "" });
  const own = keys.filter(({ name }) => name.includes(id));
  expect(own.length).toBeGreaterThanOrEqual(2);
  return own.map(({ expiration = 0 }) => Math.round((expiration - Date.now() / 1000) / DAY));
}

const WRITES = '```python\nopen("a.txt", "w").write("x")\nprint("x")\n```';
const TOOLS = [{ type: "code_interpreter", container: { type: "auto" } }];

test("a record is kept as long as the trigger says, with its files and what other channels had", async () => {
  const asked = { input: WRITES, tools: TOOLS, replay: true, control: true, retention_days: 7 };
  const id = await world.trigger(asked);
  await world.settled(id);
  const days = await daysOf(id);
  expect(new Set(days)).toEqual(new Set([7]));
  expect(days.length).toBeGreaterThanOrEqual(4);
});

test("where it says nothing, the setting decides", async () => {
  const id = await world.trigger();
  await world.settled(id);
  expect(new Set(await daysOf(id))).toEqual(new Set([30]));
});

test("a look after the end keeps the record's own", async () => {
  const id = await world.trigger({ retention_days: 3 });
  await world.settled(id);
  await world.ask(`/results/${id}/refetch`, { method: "POST" });
  await world.settled(id);
  expect(new Set(await daysOf(id))).toEqual(new Set([3]));
});

test.each([0, 3_651, 1.5, "7", null])("retention_days: %j is refused", async (retention_days) => {
  const body = JSON.stringify({ retention_days });
  const answer = await world.ask("/trigger", { method: "POST", body });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/retention_days must be a whole number of days/);
});
