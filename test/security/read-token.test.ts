// What READ_TOKEN opens, as a bearer token and as a session.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listRoutes, OpenApiDocument } from "../support/contract.ts";
import { getCookie, logIn, signCookie } from "../support/sessions.ts";
import { READ_TOKEN, startWorld, TOKEN, type World } from "../support/world.ts";

const READER = { authorization: `Bearer ${READ_TOKEN}` };
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const REFUSED = { error: { code: "read_only" } };

let world: World;
let id: string;
beforeAll(async () => {
  world = await startWorld({}, {}, { READ_TOKEN });
  id = await world.trigger();
  await world.waitUntilSettled(id);
});
afterAll(() => world.close());
beforeEach(() => world.emulator.clearRequests());

function request(path: string, init: RequestInit = {}, target = world): Promise<Response> {
  return fetch(`${target.url}${path}`, { redirect: "manual", headers: READER, ...init });
}

/** The status of a refusal, or `open`. */
async function describe(answer: Response): Promise<string> {
  await answer.body?.cancel();
  return [401, 403, 405].includes(answer.status) ? String(answer.status) : "open";
}

test("READ_TOKEN opens each GET but the form, and the log-out; every other method of every route answers 403, or 405 where there is none", async () => {
  const document: unknown = await (await request("/openapi.json")).json();
  const routes = listRoutes(OpenApiDocument.parse(document)).filter(({ isPublic }) => !isPublic);
  const names = new Set(routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`));
  const expectAnswer = (method: string, path: string) => {
    const name = `${method === "HEAD" ? "GET" : method} ${path}`;
    if (!names.has(name)) return "405";
    if (name === "POST /logout") return "open";
    return name.startsWith("GET ") && name !== "GET /trigger" ? "open" : "403";
  };
  const answers: string[] = [];
  const expected: string[] = [];
  for (const path of new Set(routes.map((route) => route.path))) {
    const filled = path.replace("{id}", id).replaceAll(/\{\w+\}/g, "0");
    for (const method of METHODS) {
      answers.push(`${method} ${path} ${await describe(await request(filled, { method }))}`);
      expected.push(`${method} ${path} ${expectAnswer(method, path)}`);
    }
  }
  expect(answers).toEqual(expected);
  expect(answers.filter((line) => line.endsWith(" 403")).length).toBeGreaterThan(6);
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  expect((await world.request(`/results/${id}`)).status).toBe(200);
});

test("POST /trigger answers 403 read_only to READ_TOKEN, and names the token that it needs", async () => {
  for (const body of [JSON.stringify({ input: "x" }), new URLSearchParams({ input: "x" })]) {
    const answer = await request("/trigger", { method: "POST", body });
    const text = await answer.text();
    expect([answer.status, JSON.parse(text)]).toMatchObject([403, REFUSED]);
    expect(text).toContain("Use ACCESS_TOKEN");
  }
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
});

test("GET /v1/responses/:id answers READ_TOKEN with a recorded run", async () => {
  const answer = await request(`/v1/responses/${id}?include[]=code_interpreter_call.outputs`);
  expect([answer.status, await answer.json()]).toMatchObject([200, { id, status: "completed" }]);
});

const V1_REQUESTS: [string, string][] = [
  ["GET", "/v1/responses/resp_unknown"],
  ["GET", "/v1/responses/resp_unknown?stream=true"],
  ["GET", "/v1/responses/ID/input_items"],
  ["GET", "/v1/responses/..%2fmodels"],
  ["GET", "/v1/models"],
  ["GET", "/v1/files"],
  ["GET", "/v1/nothing"],
  ["POST", "/v1/responses"],
  ["POST", "/v1/responses/ID/cancel"],
  ["DELETE", "/v1/responses/ID"],
  ["POST", "/v1/responses/ID"],
  ["PUT", "/v1/responses/ID"],
  ["POST", "/v1/chat/completions"],
];

test.each(V1_REQUESTS)(
  "%s %s answers 403 read_only to READ_TOKEN in OpenAI's error shape, and asks OpenAI nothing",
  async (method, path) => {
    const body = method === "POST" ? { body: '{"background":true,"input":"x"}' } : {};
    const answer = await request(path.replace("ID", id), { method, ...body });
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { error: { code: "read_only", type: "invalid_request_error" } },
    ]);
    expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  },
);

test("POST /login with READ_TOKEN opens a session that reads, and starts or deletes nothing", async () => {
  const loggedIn = await logIn(world, ` ${READ_TOKEN}\n`, "/results");
  expect([loggedIn.status, loggedIn.headers.get("location")]).toEqual([303, "/results"]);
  const cookie = getCookie(loggedIn);
  expect(cookie).not.toContain(READ_TOKEN);
  expect((await request(`/results/${id}`, { headers: { cookie } })).status).toBe(200);
  const headers = { cookie, origin: world.url };
  for (const [method, path] of [
    ["POST", "/trigger"],
    ["POST", `/results/${id}/refetch`],
    ["POST", `/results/${id}/delete`],
    ["DELETE", `/results/${id}`],
  ] as const) {
    const answer = await request(path, { method, headers });
    expect([path, answer.status, await answer.json()]).toMatchObject([path, 403, REFUSED]);
  }
  const loggedOut = await request("/logout", { method: "POST", headers });
  expect(loggedOut.headers.get("set-cookie")).toMatch(/^session=; Max-Age=0/);
  const log = JSON.stringify(world.worker.getLogs());
  expect(log).toContain("authenticated");
  expect(log).not.toContain(READ_TOKEN);
});

test("a session opens what the token opens that signed its cookie", async () => {
  const opened = [
    [TOKEN, 200],
    [READ_TOKEN, 403],
    ["another-token-that-reads", 401],
  ] as const;
  for (const [token, status] of opened) {
    const answer = await request("/trigger", { headers: { cookie: signCookie(token) } });
    expect([token, answer.status]).toEqual([token, status]);
  }
});

test("GET /trigger with READ_TOKEN is a page that says which token it needs", async () => {
  const answer = await request("/trigger", { headers: { ...READER, accept: "text/html" } });
  const html = await answer.text();
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    403,
    "text/html; charset=UTF-8",
  ]);
  expect(html).toContain("This token only reads");
  expect(html).toContain("Use ACCESS_TOKEN");
});

test("GET /health says whether READ_TOKEN is in place, where it is set", async () => {
  expect(await (await request("/health")).json()).toMatchObject({ settings: { READ_TOKEN: true } });
  const other = await startWorld();
  const health = await (await request("/health", {}, other)).text();
  expect(health).not.toContain("READ_TOKEN");
  expect((await request("/results", {}, other)).status).toBe(401);
  await other.close();
});

test.each([
  ["too short", "fifteen-letters"],
  ["only white space", " ".repeat(20)],
  ["ACCESS_TOKEN itself", ` ${TOKEN}`],
])(
  "with a READ_TOKEN that is %s GET /health answers 503, and it opens nothing by itself",
  async (_, token) => {
    const other = await startWorld({}, {}, { READ_TOKEN: token });
    try {
      const health = await request("/health", {}, other);
      expect([health.status, await health.json()]).toMatchObject([
        503,
        { ready: false, settings: { ACCESS_TOKEN: true, READ_TOKEN: false } },
      ]);
      const attempts: Record<string, string>[] = [
        { authorization: `Bearer ${token}` },
        { cookie: signCookie(token) },
        { cookie: signCookie("null") },
      ];
      for (const headers of attempts) {
        const { status } = await request("/results", { headers }, other);
        // What ACCESS_TOKEN opens stays open.
        expect(status).toBe(token.trim() === TOKEN && "authorization" in headers ? 200 : 401);
      }
    } finally {
      await other.close();
    }
  },
);
