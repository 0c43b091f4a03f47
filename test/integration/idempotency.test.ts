import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.emulator.clearRequests());
afterAll(() => world.close());

const Failure = z.object({ error: z.object({ code: z.string() }) });

let keyCount = 0;
function createKey(): string {
  keyCount += 1;
  return `key-${keyCount}`;
}

async function trigger(key: string, body: unknown = {}) {
  const headers = { "idempotency-key": key };
  const answer = await world.request("/trigger", {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const json: unknown = await answer.json();
  return { status: answer.status, json, code: Failure.safeParse(json).data?.error.code };
}

/** How many create requests OpenAI has received. */
async function countCreates(): Promise<number> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses")
    .length;
}

test("POST /trigger answers the same 202 to the same Idempotency-Key, and starts one run", async () => {
  const key = createKey();
  const first = await trigger(key);
  const second = await trigger(key);
  expect(first.status).toBe(202);
  expect(second).toEqual(first);
  expect(await countCreates()).toBe(1);
});

test("POST /trigger starts one run for five concurrent requests with the same key", async () => {
  const key = createKey();
  const all = await Promise.all(Array.from({ length: 5 }, () => trigger(key)));
  expect(new Set(all.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(all[0]?.status).toBe(202);
  expect(await countCreates()).toBe(1);
});

test("POST /trigger starts a run for each key, and for each request without one", async () => {
  const answers = [(await trigger(createKey())).json, (await trigger(createKey())).json];
  await world.trigger();
  await world.trigger();
  expect(answers[0]).not.toEqual(answers[1]);
  expect(await countCreates()).toBe(4);
});

test("POST /trigger answers 422 key_reused to a key with another body", async () => {
  const key = createKey();
  await trigger(key, { input: "one thing" });
  expect(await trigger(key, { input: "another" })).toMatchObject({
    status: 422,
    code: "key_reused",
  });
  expect(await countCreates()).toBe(1);
});

test("POST /trigger accepts a key again when nothing was started with it", async () => {
  const key = createKey();
  await world.emulator.addFault({
    kind: "status",
    status: 429,
    method: "POST",
    path: "^/v1/responses$",
  });
  expect((await trigger(key)).status).toBe(429);
  expect((await trigger(key, { background: false })).status).toBe(400);
  expect((await trigger(key)).status).toBe(202);
});

test("POST /trigger repeats no create for a key that may have started a run", async () => {
  const key = createKey();
  const lostAnswer = { kind: "status", status: 500, carry_out: true };
  await world.emulator.addFault({ ...lostAnswer, method: "POST", path: "^/v1/responses$" });
  const first = await trigger(key);
  expect(first).toMatchObject({ status: 502, code: "may_have_started" });
  expect(await trigger(key)).toEqual(first);
  expect(await countCreates()).toBe(1);
});

test.each(["a b", "k".repeat(256)])("POST /trigger answers 400 to the key %j", async (key) => {
  expect(await trigger(key)).toMatchObject({ status: 400, code: "bad_request" });
  expect(await countCreates()).toBe(0);
});
