import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { getCatalog } from "../support/catalog.ts";
import { startWorld, type World } from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;

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

test("POST /trigger compares large bodies whole", async () => {
  const key = createKey();
  const input = "x".repeat(300 * 1024);
  const first = await trigger(key, { input });
  expect(await trigger(key, { input })).toEqual(first);
  expect(await trigger(key, { input: `${input.slice(0, -1)}y` })).toMatchObject({
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

test("POST /trigger starts one run for three keyed requests at once while OpenAI takes its time, and each has the same 202", async () => {
  const key = createKey();
  await world.emulator.addFault({
    kind: "delay",
    seconds: 2,
    method: "POST",
    path: "^/v1/responses$",
  });
  const all = await Promise.all([trigger(key), trigger(key), trigger(key)]);
  expect(all.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(all[1]).toEqual(all[0]);
  expect(all[2]).toEqual(all[0]);
  expect(await countCreates()).toBe(1);
});

test("POST /trigger lets a waiting request start a run when OpenAI refuses that of the first", async () => {
  const key = createKey();
  const refused = { kind: "status", status: 429 };
  await world.emulator.addFault({ ...refused, method: "POST", path: "^/v1/responses$" });
  const all = await Promise.all([trigger(key), trigger(key), trigger(key)]);
  expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 202, 429]);
});

function toSha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Claims a key as a request did that died so many milliseconds ago. */
async function claimEarlier(key: string, agoMs: number, body: unknown = {}): Promise<void> {
  const catalog = await getCatalog(world);
  const digest = toSha256(JSON.stringify(body));
  const claim = { key: toSha256(key), digest, claimant: "dead", atMs: Date.now() - agoMs };
  expect(await catalog.claim(claim)).toEqual({ kind: "claimed" });
}

test("POST /trigger answers 409 may_have_started to a key whose first request died, and starts nothing for a day", async () => {
  for (const agoMs of [91_000, 23 * HOUR_MS]) {
    const key = createKey();
    await claimEarlier(key, agoMs);
    expect(await trigger(key)).toMatchObject({ status: 409, code: "may_have_started" });
    expect(await trigger(key, { input: "x" })).toMatchObject({ status: 422, code: "key_reused" });
  }
  expect(await countCreates()).toBe(0);
});

test("POST /trigger waits for the first request of a key, and then answers 409 in_progress", async () => {
  const key = createKey();
  await claimEarlier(key, 20_000);
  expect(await trigger(key)).toMatchObject({ status: 409, code: "in_progress" });
  expect(await countCreates()).toBe(0);
});

test("POST /trigger takes a key again after a day, and cron's call removes old keys", async () => {
  const [first, second] = [createKey(), createKey()];
  await claimEarlier(first, 24 * HOUR_MS);
  await claimEarlier(second, 24 * HOUR_MS);
  expect((await trigger(first, { input: "another" })).status).toBe(202);
  await (await getCatalog(world)).overdue(1, Date.now());
  // It is as if it had never been claimed.
  await claimEarlier(second, 91_000);
  expect(await trigger(second)).toMatchObject({ status: 409, code: "may_have_started" });
});
