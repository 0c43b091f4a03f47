// Who comes in, by every route that there is. Requests are sent as they are: most clients would tidy these paths up.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { Sender, type Answered } from "../support/random-request.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ security: z.array(z.unknown()).optional() })),
  ),
});
const Refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** OpenAI's own API is no part of the contract's document. */
const V1 = [
  ["GET", "/v1/models"],
  ["POST", "/v1/responses"],
  ["GET", "/v1/responses/resp_1"],
  ["DELETE", "/v1/responses/resp_1"],
  ["GET", "/v1"],
] as const;

type Place = { method: string; path: string };

let world: World;
let sender: Sender;
let open: Place[];
let shut: Place[];
beforeAll(async () => {
  world = await startWorld();
  sender = new Sender(world.url);
  const { paths } = Document.parse(await (await world.ask("/openapi.json")).json());
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, "resp_1"),
      isOpen: security?.length === 0,
    })),
  );
  open = routes.filter(({ isOpen }) => isOpen);
  shut = [
    ...routes.filter(({ isOpen }) => !isOpen),
    ...V1.map(([method, path]) => ({ method, path })),
    { method: "GET", path: "/nothing" },
  ];
});
afterAll(async () => {
  sender.close();
  await world.close();
});

function send({ method, path }: Place, headers: Record<string, string> = {}): Promise<Answered> {
  return sender.send({ method, path, headers, body: null });
}

/** What came of asking for each, where it was no refusal. */
async function openings(
  places: Place[],
  headers: Record<string, string> = {},
  allowed: number[] = [401],
): Promise<string[]> {
  const answers = await Promise.all(
    places.map(async (place) => ({ place, answer: await send(place, headers) })),
  );
  return answers
    .filter(({ answer }) => !allowed.includes(answer.status))
    .map(({ place, answer }) => `${place.method} ${place.path}: ${answer.status}`);
}

test("the webhook, the health and the login are public, and nothing else", () => {
  const named = open.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(named)).toEqual(
    new Set(["POST /webhook", "GET /health", "GET /login", "POST /login"]),
  );
  expect(shut.length).toBeGreaterThan(20);
});

const TOKENS: [string, Record<string, string>][] = [
  ["no token", {}],
  ["an empty one", { authorization: "Bearer " }],
  ["another one", { authorization: "Bearer a-token-for-tests-onlz" }],
  ["more than the token", { authorization: `Bearer ${TOKEN}x` }],
  ["less than the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ["the token in capitals", { authorization: `Bearer ${TOKEN.toUpperCase()}` }],
  ["the token twice", { authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` }],
  ["the token by another scheme", { authorization: `Basic ${TOKEN}` }],
  ["the bare token", { authorization: TOKEN }],
  ["the token under another name", { "x-authorization": `Bearer ${TOKEN}`, "x-api-key": TOKEN }],
  ["the token as a cookie", { cookie: `session=${TOKEN}; __Host-session=${TOKEN}` }],
];

test.each(TOKENS)("with %s no route opens", async (_, headers) => {
  expect(await openings(shut, headers)).toEqual([]);
});

test("the token in the query or the path opens nothing", async () => {
  const asked = shut.flatMap(({ method, path }) =>
    [`${path}?access_token=${TOKEN}&token=${TOKEN}`, `${path}/${TOKEN}`].map((there) => ({
      method,
      path: there,
    })),
  );
  expect(await openings(asked)).toEqual([]);
});

// FOO is refused by the runtime itself.
test.each(["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "FOO"])(
  "%s opens none of them",
  async (method) => {
    const places = shut.map(({ path }) => ({ method, path }));
    expect(await openings(places, {}, method === "FOO" ? [501] : [401])).toEqual([]);
  },
);

const SPELLINGS: [string, (path: string) => string][] = [
  ["a slash at its end", (path) => `${path}/`],
  ["double slashes", (path) => path.replaceAll("/", "//")],
  ["a dot before it", (path) => `/.${path}`],
  ["a way out of the login", (path) => `/login/..${path}`],
  ["an encoded way out of the login", (path) => `/login/%2e%2e${path}`],
  ["a way out of the webhook with encoded slashes", (path) => `/webhook%2f..${path}`],
  ["a way out of the assets", (path) => `/assets/..${path}`],
  ["an encoded way out of the assets", (path) => `/assets%2f..%2f${path.slice(1)}`],
  ["something public before it", (path) => `/health${path}`],
  ["something public behind a semicolon", (path) => `${path};/health`],
  ["something public in the query", (path) => `${path}?/login`],
  ["something public behind a hash", (path) => `${path}#/login`],
  ["encoded slashes", (path) => `/${path.slice(1).replaceAll("/", "%2f")}`],
  ["an encoded letter", (path) => path.replaceAll("s", "%73")],
  ["a NUL", (path) => `${path}%00`],
  ["a percent sign alone", (path) => `${path}%`],
  ["bytes that are no UTF-8", (path) => `${path}%ff%fe`],
  ["capitals", (path) => path.toUpperCase()],
  ["another host", (path) => `http://elsewhere.example/login/..${path}`],
];

test.each(SPELLINGS)("with %s in its path no route opens", async (_, spell) => {
  const places = shut.map(({ method, path }) => ({ method, path: spell(path) }));
  expect(await openings(places)).toEqual([]);
});

test("with backslashes in its path no route opens", async () => {
  const places = shut.map(({ method, path }) => ({ method, path: path.replaceAll("/", "\\") }));
  expect(await openings(places, {}, [400, 401])).toEqual([]);
});

test("a refusal says so in the contract's shape, and nothing was read, written or asked", async () => {
  const asked = await world.told("/requests");
  const operations = world.kv().length;
  for (const place of shut.filter(({ path }) => !path.startsWith("/v1"))) {
    const { headers, body } = await send(place);
    expect(Refused.parse(JSON.parse(body ?? "")).error.code).toBe("unauthorized");
    expect(headers.get("www-authenticate")).toBe("Bearer");
  }
  expect(world.kv()).toHaveLength(operations);
  expect(asked).toEqual([]);
  expect(await world.told("/requests")).toEqual([]);
});

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const ANSWERS: [string, number, Place, Record<string, string>?][] = [
  ["a page", 200, { method: "GET", path: "/login" }],
  ["the health", 200, { method: "GET", path: "/health" }],
  ["JSON", 200, { method: "GET", path: "/results" }, AUTHORIZED],
  [
    "a list's page",
    200,
    { method: "GET", path: "/results" },
    { ...AUTHORIZED, accept: "text/html" },
  ],
  ["no body", 200, { method: "HEAD", path: "/results" }, AUTHORIZED],
  ["events", 200, { method: "GET", path: "/results/resp_nobody/events" }, AUTHORIZED],
  ["a redirection", 302, { method: "GET", path: "/" }, AUTHORIZED],
  ["the way to the login", 302, { method: "GET", path: "/results" }, { accept: "text/html" }],
  ["a wrong query", 400, { method: "GET", path: "/results?limit=x" }, AUTHORIZED],
  ["a webhook without a signature", 400, { method: "POST", path: "/webhook" }],
  ["no token", 401, { method: "GET", path: "/results" }],
  ["OPTIONS", 401, { method: "OPTIONS", path: "/results" }],
  ["another site", 403, { method: "POST", path: "/login" }],
  ["nothing there", 404, { method: "GET", path: "/nothing" }, AUTHORIZED],
  [
    "nothing there, as a page",
    404,
    { method: "GET", path: "/x" },
    { ...AUTHORIZED, accept: "text/html" },
  ],
  ["an asset", 200, { method: "GET", path: "/assets/style.css" }],
  ["an asset asked wrongly", 405, { method: "POST", path: "/assets/style.css" }],
  ["no such asset", 401, { method: "GET", path: "/assets/none.css" }],
  ["the headers' own file", 401, { method: "GET", path: "/_headers" }],
  ["OpenAI's answer", 200, { method: "GET", path: "/v1/models" }, AUTHORIZED],
  ["nothing below /v1", 404, { method: "GET", path: "/v1/nothing" }, AUTHORIZED],
  ["no token below /v1", 401, { method: "GET", path: "/v1/models" }],
];

test.each(ANSWERS)("%s (%i) comes with the security headers", async (_, status, place, more) => {
  const answer = await send(place, more);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = place.path.startsWith("/v1")
    ? /^sandbox$/
    : /^default-src 'none'.*frame-ancestors 'none'$/;
  expect(answer.headers.get("content-security-policy")).toMatch(policy);
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
});

test("what a token has opened is kept by no cache", async () => {
  for (const path of ["/results", "/nothing", "/trigger", "/openapi.json"]) {
    const { headers } = await send({ method: "GET", path }, AUTHORIZED);
    expect(headers.get("cache-control")).toBe("private, no-store");
  }
});
