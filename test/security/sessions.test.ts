// Sessions of browsers, and what a missing or new ACCESS_TOKEN does.
import { afterAll, beforeAll, expect, test } from "vitest";
import { listRoutes, OpenApiDocument } from "../support/contract.ts";
import { getCookie, IN_AN_HOUR, logIn, signCookie } from "../support/sessions.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const FORM = "application/x-www-form-urlencoded";
const ANOTHER_TOKEN = "another-token-for-tests-only";

let world: World;
let session: string;
beforeAll(async () => {
  world = await startWorld();
  session = getCookie(await logIn(world, TOKEN));
});
afterAll(() => world.close());

/** Sends a request without the access token. */
function request(path: string, init: RequestInit = {}, target = world): Promise<Response> {
  return fetch(`${target.url}${path}`, { redirect: "manual", ...init });
}

test("GET /results redirects a browser to /login, and POST /login with the right token redirects it back", async () => {
  const html = { accept: "text/html" };
  const redirected = await request("/results?limit=2", { headers: html });
  expect([redirected.status, redirected.headers.get("location")]).toEqual([
    302,
    "/login?next=%2Fresults%3Flimit%3D2",
  ]);
  expect((await logIn(world, "wrong")).status).toBe(401);
  const loggedIn = await logIn(world, ` ${TOKEN}\n`, "/results?limit=2");
  expect([loggedIn.status, loggedIn.headers.get("location")]).toEqual([303, "/results?limit=2"]);
  expect(loggedIn.headers.get("set-cookie")).toMatch(/^session=.*; HttpOnly; SameSite=Lax$/);
  expect(getCookie(loggedIn)).not.toContain(TOKEN);
  const list = await request("/results", { headers: { ...html, cookie: getCookie(loggedIn) } });
  expect(list.status).toBe(200);
});

test("a browser without a session finds its search again behind the login", async () => {
  const path = "/results?q=two+words*&metadata[team]=red%20one&since=2026-01-01T00:00:00Z";
  const redirected = await request(path, { headers: { accept: "text/html" } });
  const login = new URL(redirected.headers.get("location") ?? "", world.url);
  const next = login.searchParams.get("next") ?? "";
  expect((await logIn(world, TOKEN, next)).headers.get("location")).toBe(path);
});

test("POST /login redirects to no other site", async () => {
  for (const next of ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"]) {
    expect((await logIn(world, TOKEN, next)).headers.get("location")).toBe("/results");
  }
});

test("POST /login over https sets a Secure __Host- cookie, and GET /results accepts no other", async () => {
  const https = "https://recorder.example";
  const answer = await world.worker.getWorker().fetch(`${https}/login`, {
    method: "POST",
    redirect: "manual",
    body: `token=${TOKEN}`,
    headers: { origin: https, "content-type": FORM },
  });
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^__Host-session=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const openWith = (sent: string) =>
    world.worker.getWorker().fetch(`${https}/results`, { headers: { cookie: sent } });
  expect((await openWith(cookie.split(";", 1)[0] ?? "")).status).toBe(200);
  // Another host of the same domain could set one without the prefix.
  expect((await openWith(session)).status).toBe(401);
});

const FORGED: [string, () => string][] = [
  ["no signature", () => `session=${IN_AN_HOUR}`],
  ["an empty signature", () => `session=${IN_AN_HOUR}.`],
  ["the signature of another token", () => signCookie(ANOTHER_TOKEN)],
  ["the signature of an empty token", () => signCookie("")],
  ["a later expiry", () => session.replace(/=\d+/, `=${Number(IN_AN_HOUR) + 31_536_000}`)],
  ["one more letter", () => `${session}x`],
  ["one letter less", () => session.slice(0, -1)],
  ["another name", () => session.replace("session", "Session")],
  ["an expiry in the past", () => signCookie(TOKEN, "1700000000")],
  ["an expiry that is not a time", () => signCookie(TOKEN, "never")],
  ["a forged one before it", () => `${signCookie(ANOTHER_TOKEN)}; ${session}`],
];

test("GET /results accepts a session cookie", async () => {
  for (const cookie of [session, signCookie(TOKEN)]) {
    expect((await request("/results", { headers: { cookie } })).status).toBe(200);
  }
});

test.each(FORGED)("GET /results answers 401 to a cookie with %s", async (_, forge) => {
  expect((await request("/results", { headers: { cookie: forge() } })).status).toBe(401);
});

test("GET /results answers 401 to a wrong token, even with a session cookie", async () => {
  const headers = { cookie: session, authorization: "Bearer wrong" };
  expect((await request("/results", { headers })).status).toBe(401);
});

test("POST /logout removes the cookie", async () => {
  const headers = { cookie: session, origin: world.url, "content-type": FORM };
  const answer = await request("/logout", { method: "POST", headers });
  expect(answer.status).toBe(303);
  expect(answer.headers.get("set-cookie")).toMatch(/^session=; Max-Age=0/);
});

const CROSS_SITE: [string, Record<string, string>][] = [
  ["another site's form", { origin: "https://elsewhere.example", "content-type": FORM }],
  ["a sandboxed page's form", { origin: "null", "content-type": FORM }],
  ["a form without an origin", { "content-type": FORM }],
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

test.each(CROSS_SITE)(
  "every POST route but /webhook answers 403 cross_site to %s",
  async (_, headers) => {
    const document = OpenApiDocument.parse(await (await world.request("/openapi.json")).json());
    const posts = listRoutes(document).filter(({ method }) => method === "post");
    expect(posts.length).toBeGreaterThan(5);
    for (const { path } of posts.filter((route) => route.path !== "/webhook")) {
      const init = { method: "POST", body: "input=x", headers: { ...headers, cookie: session } };
      const answer = await request(path.replaceAll(/\{\w+\}/g, "resp_1"), init);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.json()).toMatchObject({ error: { code: "cross_site" } });
    }
    expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  },
);

test.each([
  ["another site", { origin: "https://elsewhere.example" }],
  ["an unknown place", {}],
  ["another port, as JSON", { origin: "http://127.0.0.1:1", "content-type": "application/json" }],
])("DELETE /results/:id answers 403 cross_site to %s with a session cookie", async (_, headers) => {
  const init = { method: "DELETE", headers: { ...headers, cookie: session } };
  const answer = await request("/results/resp_1", init);
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ error: { code: "cross_site" } });
});

test("DELETE /results/:id is possible from this site's own pages", async () => {
  const headers = { origin: world.url, cookie: session };
  expect((await request("/results/resp_1", { method: "DELETE", headers })).status).toBe(404);
});

test("OPTIONS /results/:id lets no other site send POST or DELETE", async () => {
  for (const method of ["POST", "DELETE"]) {
    const answer = await request("/results/resp_1", {
      method: "OPTIONS",
      headers: { origin: "https://elsewhere.example", "access-control-request-method": method },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("GET /health says which settings are in place, and no values", async () => {
  const answer = await request("/health");
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ ready: true, settings: { ACCESS_TOKEN: true } });
  expect(text).not.toContain(TOKEN);
});

test("a new ACCESS_TOKEN ends every session, and GET /results rejects the old one", async () => {
  const other = await startWorld({}, {}, { ACCESS_TOKEN: ANOTHER_TOKEN });
  try {
    const oldCredentials: Record<string, string>[] = [
      { cookie: session },
      { authorization: `Bearer ${TOKEN}` },
    ];
    for (const headers of oldCredentials) {
      expect((await request("/results", { headers }, other)).status).toBe(401);
    }
    const headers = { authorization: `Bearer ${ANOTHER_TOKEN}` };
    expect((await request("/results", { headers }, other)).status).toBe(200);
  } finally {
    await other.close();
  }
});

test.each([
  ["too short", "fifteen-letters"],
  ["empty", ""],
  ["only white space", " ".repeat(20)],
])(
  "with an ACCESS_TOKEN that is %s every route answers 503, and GET /health says why",
  async (_, token) => {
    const other = await startWorld({}, {}, { ACCESS_TOKEN: token, OPENAI_WEBHOOK_SECRET: "" });
    try {
      const authorizations = [`Bearer ${token}`, "Bearer undefined", ""];
      const cookies = [signCookie(token === "" ? "undefined" : token), signCookie("")];
      const attempts: Record<string, string>[] = [
        ...authorizations.map((authorization) => ({ authorization })),
        ...cookies.map((cookie) => ({ cookie })),
      ];
      for (const headers of attempts) {
        for (const path of ["/results", "/trigger", "/nothing", "/v1/models"]) {
          const answer = await request(path, { headers }, other);
          expect([path, answer.status]).toEqual([path, 503]);
          expect(await answer.json()).toMatchObject({ error: { code: "not_configured" } });
        }
      }
      const form = new URLSearchParams({ token });
      const login = await request(
        "/login",
        { method: "POST", body: form, headers: { origin: other.url } },
        other,
      );
      expect([login.status, login.headers.get("set-cookie")]).toEqual([503, null]);
      expect((await request("/webhook", { method: "POST", body: "{}" }, other)).status).toBe(503);
      const health = await request("/health", {}, other);
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
  },
);
