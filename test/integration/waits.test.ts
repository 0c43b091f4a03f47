// GET /results/:id?wait: until a record can be read, or with until=settled until nothing more is observed.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { matching } from "../support/matchers.ts";
import { RECORDER_WORKER, setKvMode } from "../support/recorder-worker.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(
    { interpreters: 1 },
    { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "3" },
    {},
    { main: RECORDER_WORKER },
  );
});
beforeEach(() => setKvMode(world.url, "works"));
afterAll(() => world.close());

const PRINTS = { input: toPythonInput("print('one')"), tools: CODE_INTERPRETER };
const LONG = { input: "emulator: run 60 seconds" };

async function read(id: string, query: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}?${query}`)).json());
}

test("GET /results/:id?wait=60 answers at the first observation after the end, and with until=settled after the last", async () => {
  const id = await world.trigger(PRINTS);
  const [readable, explicit, settled] = await Promise.all([
    read(id, "wait=60"),
    read(id, "wait=60&until=readable"),
    read(id, "wait=60&until=settled"),
  ]);
  for (const early of [readable, explicit]) {
    expect(early).toMatchObject({ verdict: "suspect", status: "completed", settled_at: null });
    expect(early.observations).toHaveLength(1);
    expect(early.response).not.toBeNull();
  }
  expect(settled).toMatchObject({ verdict: "suspect", settled_at: matching(/^20/) });
  expect(settled.observations.length).toBeGreaterThan(1);
});

test("GET /results/:id/outputs?wait=60 does the same, and its Retry-After is the time until the next observation", async () => {
  const id = await world.trigger(PRINTS);
  const path = `/results/${id}/outputs?wait=60`;
  const [readable, settled] = await Promise.all([
    world.request(path),
    world.request(`${path}&until=settled`),
  ]);
  expect([readable.status, readable.headers.get("retry-after")]).toEqual([
    409,
    matching(/^[1-3]$/),
  ]);
  expect(await readable.text()).toContain(`${path}&until=settled`);
  expect([settled.status, settled.headers.get("retry-after")]).toEqual([409, null]);
});

test("GET /results/:id?wait=60 answers with the body when it is committed, also while KV takes nothing", async () => {
  await setKvMode(world.url, "hangs");
  const id = await world.trigger(PRINTS);
  const record = await read(id, "wait=60");
  expect(record).toMatchObject({ verdict: "suspect", response: { id, status: "completed" } });
});

test("GET /results/:id?wait=60 of a followed run waits for its end, not for a status or an item", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { wait: 1 }, { text: "done" }]);
  await world.emulator.configure({ backgroundOutputs: "present", streamOutputs: "present" });
  const id = await world.trigger({ ...PRINTS, stream: true });
  expect(await read(id, "wait=60")).toMatchObject({ status: "completed", verdict: "captured" });
  await world.emulator.configure({ backgroundOutputs: "empty", streamOutputs: "empty" });
});

test("GET /results/:id?wait answers 200 with a pending record when the time is up, and 404 at once to an unknown id", async () => {
  const id = await world.trigger(LONG);
  for (const query of ["wait=1", "wait=0.1&until=settled", "wait=0", "until=settled"]) {
    expect(await read(id, query)).toMatchObject({ verdict: "pending" });
  }
  expect((await world.request("/results/resp_unknown?wait=60")).status).toBe(404);
  await world.request(`/results/${id}`, { method: "DELETE" });
});

test("readers that leave while they wait hold up nothing: the run is read, cancelled, settled and deleted", async () => {
  const id = await world.trigger(LONG);
  const abort = new AbortController();
  const leaving = Array.from({ length: 20 }, (_, reader) =>
    world
      .request(`/results/${id}?wait=60${reader % 2 === 0 ? "" : "&until=settled"}`, {
        signal: abort.signal,
      })
      .then(() => "answered")
      .catch(() => "left"),
  );
  expect(await read(id, "")).toMatchObject({ verdict: "pending" });
  abort.abort();
  expect(new Set(await Promise.all(leaving))).toEqual(new Set(["left"]));
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(202);
  expect(await read(id, "wait=60&until=settled")).toMatchObject({ status: "cancelled" });
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
});

test("a reader that waits for a run which is deleted gets 404", async () => {
  const id = await world.trigger(LONG);
  const waiting = ["", "/outputs"].map((path) => world.request(`/results/${id}${path}?wait=60`));
  await read(id, "");
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  const answers = await Promise.all(waiting);
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
});
