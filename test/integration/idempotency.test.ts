import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" }));
afterAll(() => world.close());

const Requests = z.array(z.object({ method: z.string(), path: z.string() }));
const Code = z.object({ error: z.object({ code: z.string() }) });

let keys = 0;
function newKey(): string {
  keys += 1;
  return `a-key-of-its-own-${keys}`;
}

async function send(key: string, body: unknown = {}) {
  const headers = { "idempotency-key": key };
  const answer = await world.ask("/trigger", {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const json: unknown = await answer.json();
  return { status: answer.status, json, code: Code.safeParse(json).data?.error.code };
}

async function creates(): Promise<number> {
  const all = Requests.parse(await world.told("/requests"));
  return all.filter(({ method, path }) => method === "POST" && path === "/v1/responses").length;
}

test("the same key gives the same 202, and one run", async () => {
  const key = newKey();
  const first = await send(key);
  const second = await send(key);
  expect(first.status).toBe(202);
  expect(second).toEqual(first);
  expect(await creates()).toBe(1);
});

test("so it does when they arrive at once", async () => {
  const key = newKey();
  const all = await Promise.all(Array.from({ length: 5 }, () => send(key)));
  expect(new Set(all.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(all[0]?.status).toBe(202);
  expect(await creates()).toBe(1);
});

test("other keys, and none, are other runs", async () => {
  const ids = [(await send(newKey())).json, (await send(newKey())).json];
  await world.trigger();
  await world.trigger();
  expect(ids[0]).not.toEqual(ids[1]);
  expect(await creates()).toBe(4);
});

test("a key that comes back with another body is refused", async () => {
  const key = newKey();
  await send(key, { input: "one thing" });
  expect(await send(key, { input: "another" })).toMatchObject({ status: 422, code: "key_reused" });
  expect(await creates()).toBe(1);
});

test("a key with which nothing was started can be used again", async () => {
  const key = newKey();
  await world.fault({ kind: "status", status: 429, method: "POST", path: "^/v1/responses$" });
  expect((await send(key)).status).toBe(429);
  expect((await send(key, { background: false })).status).toBe(400);
  expect((await send(key)).status).toBe(202);
});

test("a key with which something may have been started isn't tried again", async () => {
  const key = newKey();
  const lost = { kind: "status", status: 500, carry_out: true };
  await world.fault({ ...lost, method: "POST", path: "^/v1/responses$" });
  const first = await send(key);
  expect(first).toMatchObject({ status: 502, code: "may_have_started" });
  expect(await send(key)).toEqual(first);
  expect(await creates()).toBe(1);
});

test.each(["a b", "k".repeat(256)])("%j is no key", async (key) => {
  expect(await send(key)).toMatchObject({ status: 400, code: "bad_request" });
  expect(await creates()).toBe(0);
});
