// What a browser's session is worth, and what closes the doors altogether.
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const FORM = "application/x-www-form-urlencoded";
const ANOTHER_TOKEN = "another-token-for-tests-only";

let world: World;
let session: string;
beforeAll(async () => {
  world = await startWorld();
  session = cookieOf(await logIn(TOKEN));
});
afterAll(() => world.close());

function logIn(token: string, next = ""): Promise<Response> {
  return fetch(`${world.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ token, next }),
    headers: { accept: "text/html", origin: world.url },
  });
}

function cookieOf(answer: Response): string {
  return (answer.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
}

function ask(path: string, init: RequestInit = {}, at = world): Promise<Response> {
  return fetch(`${at.url}${path}`, { redirect: "manual", ...init });
}

/** A cookie as the Worker would sign it with a token. */
function signed(value: string, token: string, name = "session"): string {
  const signature = createHmac("sha256", token).update(value).digest("base64");
  return `${name}=${encodeURIComponent(`${value}.${signature}`)}`;
}

const SOON = String(Math.floor(Date.now() / 1000) + 3_600);

test("a browser is led to the login, and with the right token back to where it was going", async () => {
  const html = { accept: "text/html" };
  const led = await ask("/results?limit=2", { headers: html });
  expect([led.status, led.headers.get("location")]).toEqual([302, "/login?next=%2Fresults"]);
  expect((await logIn("wrong")).status).toBe(401);
  const right = await logIn(` ${TOKEN}\n`, "/results");
  expect([right.status, right.headers.get("location")]).toEqual([303, "/results"]);
  expect(right.headers.get("set-cookie")).toMatch(/^session=.*; HttpOnly; SameSite=Lax$/);
  expect(cookieOf(right)).not.toContain(TOKEN);
  const inside = await ask("/results", { headers: { ...html, cookie: cookieOf(right) } });
  expect(inside.status).toBe(200);
});

test("a login leads to no other site", async () => {
  for (const next of ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"]) {
    expect((await logIn(TOKEN, next)).headers.get("location")).toBe("/results");
  }
});

test("over https the cookie is bound to the host and to https", async () => {
  const https = "https://recorder.example";
  const answer = await world.worker.getWorker().fetch(`${https}/login`, {
    method: "POST",
    redirect: "manual",
    body: `token=${TOKEN}`,
    headers: { origin: https, "content-type": FORM },
  });
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^__Host-session=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const status = async (shown: string) =>
    (await world.worker.getWorker().fetch(`${https}/results`, { headers: { cookie: shown } }))
      .status;
  expect(await status(cookie.split(";", 1)[0] ?? "")).toBe(200);
  // A neighbour under the same domain could have set one without the prefix.
  expect(await status(session)).toBe(401);
});

const FORGED: [string, () => string][] = [
  ["a bare value", () => `session=${SOON}`],
  ["an empty signature", () => `session=${SOON}.`],
  ["another token's signature", () => signed(SOON, ANOTHER_TOKEN)],
  ["no token's signature", () => signed(SOON, "")],
  ["a longer life", () => session.replace(/=\d+/, `=${Number(SOON) + 31_536_000}`)],
  ["a letter more", () => `${session}x`],
  ["a letter less", () => session.slice(0, -1)],
  ["another name", () => session.replace("session", "Session")],
  ["an end in the past", () => signed("1700000000", TOKEN)],
  ["an end that is no time", () => signed("never", TOKEN)],
  ["a first one that is forged", () => `${signed(SOON, ANOTHER_TOKEN)}; ${session}`],
];

test("a session's cookie opens", async () => {
  for (const cookie of [session, signed(SOON, TOKEN)]) {
    expect((await ask("/results", { headers: { cookie } })).status).toBe(200);
  }
});

test.each(FORGED)("a cookie with %s opens nothing", async (_, forge) => {
  expect((await ask("/results", { headers: { cookie: forge() } })).status).toBe(401);
});

test("a session doesn't make up for a wrong token", async () => {
  const headers = { cookie: session, authorization: "Bearer wrong" };
  expect((await ask("/results", { headers })).status).toBe(401);
});

test("logging out takes the cookie away", async () => {
  const headers = { cookie: session, origin: world.url, "content-type": FORM };
  const answer = await ask("/logout", { method: "POST", headers });
  expect(answer.status).toBe(303);
  expect(answer.headers.get("set-cookie")).toMatch(/^session=; Max-Age=0/);
});

const CROSS: [string, Record<string, string>][] = [
  ["another site's form", { origin: "https://elsewhere.example", "content-type": FORM }],
  ["a sandboxed page's form", { origin: "null", "content-type": FORM }],
  ["a form from nowhere", { "content-type": FORM }],
  ["another port's form", { origin: "http://127.0.0.1:1", "content-type": FORM }],
  ["plain text", { origin: "https://elsewhere.example", "content-type": "text/plain" }],
  [
    "a file",
    { origin: "https://elsewhere.example", "content-type": "multipart/form-data; boundary=x" },
  ],
  [
    "a type in capitals",
    { origin: "https://elsewhere.example", "content-type": "TEXT/PLAIN; charset=utf-8" },
  ],
];

test.each(CROSS)("%s is refused at every route that changes something", async (_, headers) => {
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(await (await world.ask("/openapi.json")).json());
  const posts = Object.keys(paths).filter((path) => "post" in (paths[path] ?? {}));
  expect(posts.length).toBeGreaterThan(5);
  for (const path of posts.filter((each) => each !== "/webhook")) {
    const there = path.replaceAll(/\{\w+\}/g, "resp_1");
    const init = { method: "POST", body: "input=x", headers: { ...headers, cookie: session } };
    const answer = await ask(there, init);
    expect([there, answer.status]).toEqual([there, 403]);
    expect(await answer.json()).toMatchObject({ error: { code: "cross_site" } });
  }
  expect(await world.told("/requests")).toEqual([]);
});

test("another site's script may neither send JSON nor DELETE: nothing answers its question first", async () => {
  for (const method of ["POST", "DELETE"]) {
    const answer = await ask("/results/resp_1", {
      method: "OPTIONS",
      headers: { origin: "https://elsewhere.example", "access-control-request-method": method },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("health tells which settings are in place, and no values", async () => {
  const answer = await ask("/health");
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ ready: true, settings: { ACCESS_TOKEN: true } });
  expect(text).not.toContain(TOKEN);
});

test("a new token ends every session and opens nothing to the old one", async () => {
  const other = await startWorld({}, {}, { ACCESS_TOKEN: ANOTHER_TOKEN });
  try {
    const old: Record<string, string>[] = [
      { cookie: session },
      { authorization: `Bearer ${TOKEN}` },
    ];
    for (const headers of old) expect((await ask("/results", { headers }, other)).status).toBe(401);
    const headers = { authorization: `Bearer ${ANOTHER_TOKEN}` };
    expect((await ask("/results", { headers }, other)).status).toBe(200);
  } finally {
    await other.close();
  }
});

test.each([
  ["too short", "fifteen-letters"],
  ["empty", ""],
  ["nothing but white space", " ".repeat(20)],
])("with an ACCESS_TOKEN that is %s every door is closed, and it is said why", async (_, token) => {
  const other = await startWorld({}, {}, { ACCESS_TOKEN: token, OPENAI_WEBHOOK_SECRET: "" });
  try {
    const shown = [`Bearer ${token}`, "Bearer undefined", ""];
    const cookies = [signed(SOON, token === "" ? "undefined" : token), signed(SOON, "")];
    const tries: Record<string, string>[] = [
      ...shown.map((authorization) => ({ authorization })),
      ...cookies.map((cookie) => ({ cookie })),
    ];
    for (const headers of tries) {
      for (const path of ["/results", "/trigger", "/nothing", "/v1/models"]) {
        const answer = await ask(path, { headers }, other);
        expect([path, answer.status]).toEqual([path, 503]);
        expect(await answer.json()).toMatchObject({ error: { code: "not_configured" } });
      }
    }
    const form = new URLSearchParams({ token });
    const login = await ask(
      "/login",
      { method: "POST", body: form, headers: { origin: other.url } },
      other,
    );
    expect([login.status, login.headers.get("set-cookie")]).toEqual([503, null]);
    expect((await ask("/webhook", { method: "POST", body: "{}" }, other)).status).toBe(503);
    const health = await ask("/health", {}, other);
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
