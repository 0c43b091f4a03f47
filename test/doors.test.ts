import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, TOKEN, WEBHOOK_SECRET, type World } from "./world.ts";
import { sign } from "./sign.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const GUARDED = [
  ["GET", "/"],
  ["GET", "/trigger"],
  ["POST", "/trigger"],
  ["GET", "/results"],
  ["GET", "/results/resp_1"],
  ["GET", "/results/resp_1/outputs"],
  ["GET", "/results/resp_1/response"],
  ["POST", "/results/resp_1/look"],
  ["GET", "/nothing"],
] as const;

test.each(GUARDED)("%s %s needs the access token", async (method, path) => {
  for (const authorization of ["", "Bearer wrong", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
    const answer = await world.ask(path, { method, headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { code: "unauthorized" } });
  }
});

test("a browser is led to the login, and with the right token back to where it was going", async () => {
  const html = { accept: "text/html", authorization: "" };
  const led = await world.ask("/results", { headers: html });
  expect([led.status, led.headers.get("location")]).toEqual([302, "/login?next=%2Fresults"]);
  const wrong = await logIn("wrong");
  expect(wrong.status).toBe(401);
  const right = await logIn(TOKEN);
  expect([right.status, right.headers.get("location")]).toEqual([303, "/results"]);
  const cookie = right.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^session=.*HttpOnly; SameSite=Lax$/);
  const session = cookie.split(";", 1)[0] ?? "";
  expect(session).not.toContain(TOKEN);
  const inside = await world.ask("/results", { headers: { ...html, cookie: session } });
  expect(inside.status).toBe(200);
  const forged = await world.ask("/results", {
    headers: { authorization: "", cookie: `${session}x` },
  });
  expect(forged.status).toBe(401);
  const elsewhere = await world.ask("/trigger", {
    method: "POST",
    body: "input=x",
    headers: {
      authorization: "",
      cookie: session,
      origin: "https://elsewhere.example",
      "content-type": "application/x-www-form-urlencoded",
    },
  });
  expect(elsewhere.status).toBe(403);
});

test("a login leads to no other site", async () => {
  for (const next of ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"]) {
    const answer = await logIn(TOKEN, next);
    expect(answer.headers.get("location")).toBe("/results");
  }
});

test("health tells which settings are in place, and no values", async () => {
  const answer = await fetch(`${world.url}/health`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ ready: true, settings: { ACCESS_TOKEN: true } });
  expect(text).not.toContain(TOKEN);
});

const EVENT = {
  id: "evt_1",
  object: "event",
  type: "response.completed",
  data: { id: "resp_unsigned" },
};

test("a webhook that isn't signed, is signed wrongly, too old or no event is refused", async () => {
  const body = JSON.stringify(EVENT);
  const old = sign(body, WEBHOOK_SECRET, Date.now() - 3_600_000);
  const wrong = sign(body, "whsec_d3Jvbmc=");
  for (const headers of [{ "content-type": "application/json" }, old, wrong]) {
    expect((await post(body, headers)).status).toBe(400);
  }
  for (const odd of [
    "{",
    "[]",
    "null",
    '{"type":5}',
    '{"type":"response.completed","data":{"id":"../x"}}',
  ]) {
    expect((await post(odd, sign(odd, WEBHOOK_SECRET))).status).toBe(400);
  }
});

test("an event that isn't ours to act on is accepted", async () => {
  const body = JSON.stringify({ ...EVENT, type: "batch.completed", data: { id: "batch_1" } });
  const answer = await post(body, sign(body, WEBHOOK_SECRET));
  expect([answer.status, await answer.json()]).toEqual([200, { received: true, recorded: false }]);
});

test("a webhook of more than 512 KiB is refused", async () => {
  const body = JSON.stringify({ ...EVENT, more: "x".repeat(520 * 1024) });
  expect((await post(body, sign(body, WEBHOOK_SECRET))).status).toBe(413);
});

test("every answer has the security headers", async () => {
  for (const path of ["/login", "/health", "/results", "/nothing"]) {
    const { headers } = await world.ask(path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});

test("a setting that is missing or too short closes its doors and says which", async () => {
  const other = await startWorld({}, {}, { ACCESS_TOKEN: "short", OPENAI_WEBHOOK_SECRET: "" });
  try {
    const headers = { authorization: "Bearer short" };
    const results = await other.ask("/results", { headers });
    expect([results.status, await results.json()]).toMatchObject([
      503,
      { error: { code: "not_configured" } },
    ]);
    const webhook = await fetch(`${other.url}/webhook`, { method: "POST", body: "{}" });
    expect(webhook.status).toBe(503);
    const health = await fetch(`${other.url}/health`);
    expect([health.status, await health.json()]).toMatchObject([
      503,
      {
        ready: false,
        settings: { ACCESS_TOKEN: false, OPENAI_WEBHOOK_SECRET: false, OPENAI_API_KEY: true },
      },
    ]);
  } finally {
    await other.close();
  }
});

function logIn(token: string, next = ""): Promise<Response> {
  return fetch(`${world.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ token, next }),
    headers: { accept: "text/html", origin: world.url },
  });
}

function post(body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${world.url}/webhook`, { method: "POST", body, headers });
}
